import { ConnectError } from '../std/errors.ts'
import { unknownAlias } from './aliases.ts'
import { type OfferedKey, offeredKey, settingsOf } from './host-key.ts'
import { destination, type Target } from './ssh-arguments.ts'

/** The host has a key that ssh has never seen; `offered`: the key that it shows. */
export class UnknownHostKey extends ConnectError {
  readonly offered: OfferedKey | undefined

  constructor(message: string, offered: OfferedKey | undefined) {
    super(message)
    this.offered = offered
  }
}

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
  const shut = /timed out|refused|No route to host|unreachable/i.test(stderr)
  const look = shut ? 'see that the address and the port are right, and that no firewall is in the way\n' : ''
  const hint = unresolvedName(target, stderr) ?? `${look}try: ssh ${sshWords(target)}`
  return new ConnectError(`${name}: cannot be reached: ${reason}\n${hint}`)
}

/**
 * The next step where ssh could not resolve the very name that the inventory has. Only ssh can tell that: a bare name may be
 * one of /etc/hosts or of a search domain, and a pattern or a Match of ssh_config may lead on from it.
 */
function unresolvedName(target: Target, stderr: string): string | undefined {
  const unresolved = /Could not resolve hostname (\S+):/i.exec(stderr)?.[1]
  const name = destination(target).at(-1) ?? ''
  if (unresolved?.toLowerCase() !== name.toLowerCase()) return undefined
  const unknown = unknownAlias(name, target.sshConfig)
  if (unknown === undefined)
    return `no address is known for ${name}: see that it is spelled right and has an A record, or use the address itself`
  return `${unknown}\nuse an alias, or an address, as in root@192.0.2.1:22 (in the inventory: "ssh" of this host)`
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
  return new UnknownHostKey(
    `${target.name}: its host key is not known yet: ${shownKey(key) ?? 'and it could not be read'}\n` +
      `compare it with what the provider shows, or with the host's own console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\n` +
      'if it is the same, run again with --accept-new',
    key,
  )
}

async function changedKey(target: Target): Promise<ConnectError> {
  const config = await settingsOf(target)
  const port = config.get('port') ?? '22'
  const host = config.get('hostkeyalias') ?? config.get('hostname') ?? target.ssh
  const known = config.get('userknownhostsfile')?.split(' ')[0] ?? '~/.ssh/known_hosts'
  return new ConnectError(
    `${target.name}: its host key has CHANGED: the host was reinstalled, or the connection is intercepted\n` +
      `it now shows ${shownKey(await offeredKey(target)) ?? 'a key that could not be read'}\n` +
      `if the host was reinstalled: ssh-keygen -R '${port === '22' ? host : `[${host}]:${port}`}' -f ${known}, then run again, and compare the new one when it is shown`,
  )
}

function shownKey(key: OfferedKey | undefined): string | undefined {
  return key && `${key.fingerprint} (${key.type})`
}

function sshWords(target: Target): string {
  return destination(target).join(' ')
}
