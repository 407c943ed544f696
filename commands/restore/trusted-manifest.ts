import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { confirm } from '../../lib/std/confirm-prompt.ts'
import { HostError } from '../../lib/std/errors.ts'
import { type BackupName, formatAge } from '../../roles/backups/backup-name.ts'
import type { BackupManifest } from '../../roles/backups/manifest.ts'
import { signingKey } from '../../roles/backups/paths.ts'
import { settingsFor } from '../backup/host-settings.ts'
import { copiesOf } from '../backup/local-copies.ts'
import { fingerprintOf } from '../backup/signature.ts'
import { hasKnownSigner, rememberSigner, type Signers, signersOf, unsignedFault } from '../backup/signers.ts'
import { signatureIn, verifiedManifest } from '../backup/verify.ts'

/**
 * The verified manifest of a copy. The operator is asked first where the copy is not signed, and where no key of its host is
 * known. Throws a `HostError` where the copy is not valid, and a `UsageError` without a confirmation.
 */
export async function trustedManifest(
  folder: string,
  name: BackupName,
  session: Session,
  host: InventoryHost,
  { unsigned }: { readonly unsigned: boolean },
): Promise<BackupManifest> {
  const { local, signer } = settingsFor(host)
  // From the operator's folder of copies, never from where this copy comes from.
  const signers = signersOf(host.name, copiesOf(host.name, local).folder, signer)
  const key = signatureIn(folder)?.key
  if (key === undefined) {
    await confirmUnsigned(signers, name, unsigned, session)
    return verifiedManifest({ folder, name, signers, unsigned: true })
  }
  if (hasKnownSigner(signers)) return verifiedManifest({ folder, name, signers, unsigned: false })
  await confirmKey(host.name, name, key)
  const manifest = await verifiedManifest({ folder, name, signers: { ...signers, keys: [key] }, unsigned: false })
  rememberSigner(signers, key, name.time)
  return manifest
}

async function confirmUnsigned(
  signers: Signers,
  name: BackupName,
  wanted: boolean,
  { options }: Session,
): Promise<void> {
  const fault = unsignedFault(signers, name.time)
  if (fault !== undefined && (signers.since !== undefined || !wanted)) throw new HostError(fault)
  if (!wanted)
    throw new HostError(
      'is not signed: --unsigned accepts a copy from before its host signed backups, although its origin cannot be proved',
    )
  const age = formatAge(Date.now() - name.time)
  if (!options.own.has('yes'))
    await confirm(`use ${name.name} (${age} old), which is not signed, as a backup of ${signers.host}`)
}

/** Asks even with --yes, which would also accept the key of an attacker. */
function confirmKey(host: string, { name }: BackupName, key: string): Promise<void> {
  const fingerprint = fingerprintOf(key)
  const compare = `compare it with your notes, or on the host: ssh-keygen -lf ${signingKey}`
  return confirm(
    `${name} is signed by ${fingerprint}, and no key that signs the backups of ${host} is known here\n${compare}\ntrust it`,
    `after comparing it, set it in the inventory: hosts: { ${host}: { backups: { signer: '${fingerprint}' } } }`,
  )
}
