import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { local, withInput } from '../../lib/shell/local.ts'
import { HostError } from '../../lib/std/errors.ts'

/** The namespace of the signatures: a signature by the same key for another purpose is not valid. */
export const namespace = 'botgarden-backup'

/** An ed25519 public key in the format of OpenSSH, without its comment. */
const keyPattern = /^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-Za-z0-9+/]{43}$/

/** The key in a line of OpenSSH; undefined where it is not an ed25519 key. */
export function parseKey(line: string): string | undefined {
  const key = line.trim().split(' ').slice(0, 2).join(' ')
  return keyPattern.test(key) ? key : undefined
}

/** The fingerprint of a public key as `ssh-keygen -l` shows it: `SHA256:…`. */
export function fingerprintOf(key: string): string {
  const blob = Buffer.from(key.split(' ')[1] ?? '', 'base64')
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}

/** The public key in a signature, not verified; undefined where it is not an ed25519 signature. */
export function keyIn(signature: string): string | undefined {
  const armor = /^-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)\n-----END SSH SIGNATURE-----\n?$/
  // Of PROTOCOL.sshsig: the word SSHSIG, a version, and the key with its length before it.
  const blob = Buffer.from(armor.exec(signature)?.[1] ?? '', 'base64')
  if (blob.length < 65 || blob.toString('latin1', 0, 6) !== 'SSHSIG' || blob.readUInt32BE(6) !== 1) return undefined
  if (blob.readUInt32BE(10) !== 51) return undefined
  return parseKey(`ssh-ed25519 ${blob.subarray(14, 65).toString('base64')}`)
}

/** Why the signature of these bytes is not valid for this key; undefined where it is. */
export async function signatureFault(
  key: string,
  bytes: Buffer,
  signature: string,
  purpose: string = namespace,
): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'botgarden-signature-'))
  try {
    const [signers, file] = [join(folder, 'allowed_signers'), join(folder, 'signature')]
    // This key and no other, for this purpose and no other.
    writeFileSync(signers, `host namespaces="${purpose}" ${key}\n`)
    writeFileSync(file, signature)
    const verify = local({ nothrow: true })`ssh-keygen -Y verify -f ${signers} -I host -n ${purpose} -s ${file}`
    const { exitCode, stderr, stdout } = await withInput(verify, bytes)
    if (exitCode === 127)
      throw new HostError(
        'this machine: ssh-keygen is missing, which verifies signatures: apt-get install openssh-client',
      )
    return exitCode === 0
      ? undefined
      : `its signature is invalid: ${(stderr.trim() || stdout.trim()).split('\n').at(-1)}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
