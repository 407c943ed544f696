import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { HostError } from '../../lib/std/errors.ts'
import { parseName, stampOf } from '../../roles/backups/backup-name.ts'
import { fingerprintOf, namespace, parseKey } from './signature.ts'

/** Whose signature counts for the backups of a host: what the inventory says alone, else what was met first. */
export interface Signers {
  readonly host: string
  /** Beside the copies, as ssh-keygen reads it, a line a key; it never comes from where copies are pushed to. */
  readonly file: string
  /** The fingerprint that the inventory names. */
  readonly pinned: string | undefined
  readonly keys: readonly string[]
  /** When the host began to sign, in milliseconds; undefined: nobody has noted that. */
  readonly since: number | undefined
}

export function signersOf(host: string, folder: string, pinned: string | undefined): Signers {
  const file = join(folder, 'allowed_signers')
  const lines = linesOf(file).map((line, i) => parsed(line, host, `${file}:${i + 1}`))
  const times = lines.flatMap((line) => line?.since ?? [])
  const keys = lines.flatMap((line) => line?.key ?? [])
  return { host, file, pinned, keys, since: times.length === 0 ? undefined : Math.min(...times) }
}

export function isAnyKnown({ pinned, keys }: Signers): boolean {
  return pinned !== undefined || keys.length > 0
}

/** Why a key is not to be followed; undefined: it is known. */
export function keyFault(signers: Signers, key: string): string | undefined {
  const { host, file, pinned, keys } = signers
  const fingerprint = fingerprintOf(key)
  if (pinned !== undefined)
    return fingerprint === pinned
      ? undefined
      : `the key that signs the backups of ${host} is ANOTHER than the inventory says: somebody else signs, or the host was set up anew\n` +
          `it is ${fingerprint}, and backups.signer says ${pinned}\n` +
          'if the host was set up anew, change backups.signer; a copy that the key before has signed needs that one'
  if (keys.length === 0)
    return `signed by ${fingerprint}, and no key that signs the backups of ${host} is known here: backup.ts asks the host for it`
  if (keys.includes(key)) return undefined
  return (
    `the key that signs the backups of ${host} has CHANGED: the host was set up anew, or somebody else signs\n` +
    `it is ${fingerprint}, and ${file} has ${keys.map(fingerprintOf).join(', ')}\n` +
    `if the host was set up anew, add this line to that file, beside the one that older copies need:\n${lineOf(signers, key, Date.now())}`
  )
}

/** Why a backup of this time needs a signature; undefined: it is of before the host signed. */
export function unsignedFault({ host, pinned, keys, since }: Signers, time: number): string | undefined {
  if (pinned === undefined && keys.length === 0) return undefined
  if (since !== undefined && time < since) return undefined
  const by = pinned ?? keys.map(fingerprintOf).join(', ')
  const when = since === undefined ? '' : ` since ${stampOf(since)}`
  return `is not signed, though ${host} signs${when} by ${by}: somebody has taken the signature away, or made this copy`
}

/** Keeps a key as one of the host's, where it is not kept yet. */
export function remember(signers: Signers, key: string, since: number): Signers {
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
  return `${host} namespaces="${namespace}" ${key} since ${stampOf(since)}`
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
  return { key, since: parseName(/ since (\S+)$/.exec(rest)?.[1] ?? '')?.time }
}
