import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { local, localFault } from '../shell/local.ts'
import { HostError } from '../std/errors.ts'
import { destination, options, type Target } from './ssh-arguments.ts'

/** The key that a host shows before anybody has logged in. */
export interface OfferedKey {
  /** `SHA256:…`, 43 characters of base64. */
  readonly fingerprint: string
  /** `ED25519` */
  readonly type: string
  /** Lines of known_hosts, as ssh itself writes them. */
  readonly lines: string
}

/** The key that the host shows now, asked for in a login that cannot succeed; undefined where it shows none. */
export async function offeredKey(target: Target): Promise<OfferedKey | undefined> {
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
    if (fingerprint === undefined) return undefined
    return { fingerprint, type: more.at(-1)?.replace(/[()]/g, '') ?? '', lines: await readFile(file, 'utf8') }
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** Writes the key to the file where ssh will look for it, and returns the path of that. */
export async function trustKey(target: Target, { lines }: OfferedKey): Promise<string> {
  const file = await knownHostsOf(target)
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
    appendFileSync(file, `${before === '' || before.endsWith('\n') ? '' : '\n'}${lines}`, { mode: 0o600 })
  } catch (error) {
    throw localFault(error)
  }
  return file
}

async function knownHostsOf(target: Target): Promise<string> {
  const file = (await settingsOf(target)).get('userknownhostsfile')?.split(' ')[0] ?? ''
  if (file.startsWith('/') && file !== '/dev/null') return file
  throw new HostError(
    `this machine: ssh keeps no host keys (UserKnownHostsFile ${file}): set a file in your ssh_config`,
  )
}

/** The settings that ssh would go by for this host: a name in lower case and its value. */
export async function settingsOf(target: Target): Promise<Map<string, string>> {
  const { stdout } = await local({ nothrow: true })`ssh -G ${destination(target)}`
  return new Map(
    stdout.split('\n').map((line) => [line.split(' ', 1)[0] ?? '', line.slice(line.indexOf(' ') + 1)] as const),
  )
}
