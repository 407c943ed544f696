import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { HostError } from '../../lib/std/errors.ts'
import { parseBackupName, timestampOf } from '../../roles/backups/backup-name.ts'
import { fingerprintOf, namespace, parseKey } from './signature.ts'

/** The keys that may sign the backups of a host: the one in the inventory, else those that were learned from the host. */
export interface Signers {
  readonly host: string
  /** The path of `allowed_signers`, beside the copies, in the format of ssh-keygen. It is never restored from a copy. */
  readonly file: string
  /** The fingerprint that the inventory names. */
  readonly pinned: string | undefined
  readonly keys: readonly string[]
  /** When the host began to sign, in milliseconds since 1970; undefined where that is not known. */
  readonly since: number | undefined
}

export function signersOf(host: string, folder: string, pinned: string | undefined): Signers {
  const file = join(folder, 'allowed_signers')
  const lines = linesOf(file).map((line, i) => parsed(line, host, `${file}:${i + 1}`))
  const times = lines.flatMap((line) => line?.since ?? [])
  const keys = lines.flatMap((line) => line?.key ?? [])
  return { host, file, pinned, keys, since: times.length === 0 ? undefined : Math.min(...times) }
}

export function hasKnownSigner({ pinned, keys }: Signers): boolean {
  return pinned !== undefined || keys.length > 0
}

/** Why a key is not trusted; undefined where it is. */
export function keyFault(signers: Signers, key: string): string | undefined {
  const { host, file, pinned, keys } = signers
  const fingerprint = fingerprintOf(key)
  if (pinned !== undefined)
    return fingerprint === pinned
      ? undefined
      : `the key that signs the backups of ${host} is ANOTHER than the inventory says: the host was reinstalled, or the signature is forged\n` +
          `it is ${fingerprint}, and backups.signer says ${pinned}\n` +
          'if the host was reinstalled, change backups.signer; copies signed by the previous key still need that key'
  if (keys.length === 0)
    return `signed by ${fingerprint}, and no key that signs the backups of ${host} is known here: run backup.ts, which gets the key from the host`
  if (keys.includes(key)) return undefined
  return (
    `the key that signs the backups of ${host} has CHANGED: the host was reinstalled, or the signature is forged\n` +
    `it is ${fingerprint}, and ${file} has ${keys.map(fingerprintOf).join(', ')}\n` +
    `if the host was reinstalled, add this line to that file, and keep the others for older copies:\n${lineOf(signers, key, Date.now())}`
  )
}

/** Why a backup of this time needs a signature; undefined where it is from before the host signed. */
export function unsignedFault({ host, pinned, keys, since }: Signers, time: number): string | undefined {
  if (pinned === undefined && keys.length === 0) return undefined
  if (since !== undefined && time < since) return undefined
  const by = pinned ?? keys.map(fingerprintOf).join(', ')
  const when = since === undefined ? '' : ` since ${timestampOf(since)}`
  return `is not signed, although ${host} signs its backups${when} with ${by}: the signature was removed, or the copy is forged`
}

/** Adds a key to `allowed_signers`, unless it is there. */
export function rememberSigner(signers: Signers, key: string, since: number): Signers {
  const { file, keys } = signers
  if (keys.includes(key)) return signers
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const text = [...linesOf(file), lineOf(signers, key, since)].map((line) => `${line}\n`).join('')
  const handle = openSync(`${file}.new`, 'w', 0o600)
  writeSync(handle, text)
  fsyncSync(handle)
  closeSync(handle)
  renameSync(`${file}.new`, file)
  return signersOf(signers.host, dirname(file), signers.pinned)
}

function lineOf({ host }: Signers, key: string, since: number): string {
  return `${host} namespaces="${namespace}" ${key} since ${timestampOf(since)}`
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').replace(/\n$/, '').split('\n')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new HostError(`${file}: cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

function parsed(line: string, host: string, place: string): { key: string; since: number | undefined } | undefined {
  if (line.trim() === '' || line.startsWith('#')) return undefined
  const [, name, rest = ''] = /^(\S+) namespaces="botgarden-backup" (.*)$/.exec(line) ?? []
  const key = parseKey(rest)
  if (name !== host || key === undefined)
    throw new HostError(`${place}: should be: ${host} namespaces="${namespace}" ssh-ed25519 AAAA…`)
  return { key, since: parseBackupName(/ since (\S+)$/.exec(rest)?.[1] ?? '')?.time }
}
