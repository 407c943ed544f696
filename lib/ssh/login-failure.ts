import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { local } from '../shell/local.ts'
import { ConnectError } from '../std/errors.ts'
import { unknownAlias } from './aliases.ts'
import { destination, options, type Target } from './ssh-arguments.ts'

/** Why the login failed, with the next step, from what `ssh` and the login shell printed. */
export async function connectFailure(target: Target, stdout: string, stderr: string): Promise<ConnectError> {
  const { name } = target
  const reason = stderr.trim() || stdout.trim() || 'ssh ended without a word'
  if (stdout.includes('botgarden no-sudo')) {
    const user = stdout.match(/botgarden login .* (\S+)/)?.[1] ?? 'the login user'
    return new ConnectError(
      `${name}: ${user} may not use sudo without a password: ${reason}\n` +
        `log in as root, or put this line into a file of /etc/sudoers.d on the host: ${user} ALL=(ALL) NOPASSWD: ALL`,
    )
  }
  // OpenSSH has no translations, and has had these two messages since 2000.
  if (/HOST IDENTIFICATION HAS CHANGED/.test(stderr)) return changedKey(target)
  if (/host key is known for|Host key verification failed/i.test(stderr)) return unknownKey(target)
  if (/Permission denied/.test(stderr)) {
    return new ConnectError(`${name}: the login was refused: ${reason}\ntry: ssh ${sshWords(target)}`)
  }
  const hint = unresolvedName(target, stderr) ?? `try: ssh ${sshWords(target)}`
  return new ConnectError(`${name}: cannot be reached: ${reason}\n${hint}`)
}

/**
 * The next step where ssh could not resolve the very name that the inventory has. Only ssh can tell that: a bare name may be
 * one of /etc/hosts or of a search domain, and a pattern or a Match of ssh_config may lead on from it.
 */
function unresolvedName(target: Target, stderr: string): string | undefined {
  const unresolved = /Could not resolve hostname (\S+):/i.exec(stderr)?.[1]
  const name = destination(target).at(-1) ?? ''
  const unknown = unresolved?.toLowerCase() === name.toLowerCase() ? unknownAlias(name, target.sshConfig) : undefined
  return (
    unknown &&
    `${unknown}\nset "ssh" of this host in the inventory to an alias, or to an address, as in root@192.0.2.1:22`
  )
}

async function unknownKey(target: Target): Promise<ConnectError> {
  const key = await offeredKey(target)
  const jump = (await settingsOf(target)).get('proxyjump')
  if (key === undefined && jump !== undefined) {
    // ssh hands none of our options to the jump, so --accept-new cannot help there.
    return new ConnectError(
      `${target.name}: the host key of ${jump}, by which it is reached, is not known yet: log in there once: ssh ${jump}`,
    )
  }
  return new ConnectError(
    `${target.name}: its host key is not known yet: ${key ?? 'and it could not be read'}\n` +
      `compare it with what the provider shows, or with the host's own console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\n` +
      'if it is the same, run again with --accept-new',
  )
}

async function changedKey(target: Target): Promise<ConnectError> {
  const config = await settingsOf(target)
  const port = config.get('port') ?? '22'
  const host = config.get('hostkeyalias') ?? config.get('hostname') ?? target.ssh
  const known = config.get('userknownhostsfile')?.split(' ')[0] ?? '~/.ssh/known_hosts'
  return new ConnectError(
    `${target.name}: its host key has CHANGED: the host was reinstalled, or the connection is intercepted\n` +
      `it now shows ${(await offeredKey(target)) ?? 'a key that could not be read'}\n` +
      `if the host was reinstalled: ssh-keygen -R '${port === '22' ? host : `[${host}]:${port}`}' -f ${known}, then run again with --accept-new`,
  )
}

/** The fingerprint that the host shows now, asked for in a login that cannot succeed. */
async function offeredKey(target: Target): Promise<string | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'botgarden-'))
  try {
    const file = join(directory, 'known_hosts')
    const asking = options({
      UserKnownHostsFile: file,
      GlobalKnownHostsFile: '/dev/null',
      StrictHostKeyChecking: 'accept-new',
      PreferredAuthentications: 'none',
      ControlPath: 'none',
      ConnectTimeout: '15',
      BatchMode: 'yes',
    })
    await local({ nothrow: true, input: '' })`ssh -T ${asking} ${destination(target)} true`
    // 256 SHA256:… host (ED25519)
    const [line = ''] = (await local({ nothrow: true })`ssh-keygen -lf ${file}`).stdout.split('\n')
    const [, fingerprint, ...more] = line.split(' ')
    return fingerprint === undefined ? undefined : `${fingerprint} ${more.at(-1)}`
  } finally {
    await rm(directory, { recursive: true })
  }
}

async function settingsOf(target: Target): Promise<Map<string, string>> {
  return parseSshConfig((await local({ nothrow: true })`ssh -G ${destination(target)}`).stdout)
}

/** The settings that `ssh -G` prints: a lower-case name and its value a line. */
function parseSshConfig(output: string): Map<string, string> {
  return new Map(
    output.split('\n').map((line) => [line.split(' ', 1)[0] ?? '', line.slice(line.indexOf(' ') + 1)] as const),
  )
}

function sshWords(target: Target): string {
  return destination(target).join(' ')
}
