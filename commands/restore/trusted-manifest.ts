import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { confirm } from '../../lib/std/confirm-prompt.ts'
import { HostError } from '../../lib/std/errors.ts'
import { type Name, shownAge } from '../../roles/backups/backup-name.ts'
import type { Manifest } from '../../roles/backups/manifest.ts'
import { signingKey } from '../../roles/backups/paths.ts'
import { copiesOf } from '../backup/local-copies.ts'
import { settingsFor } from '../backup/settings.ts'
import { fingerprintOf } from '../backup/signature.ts'
import { isAnyKnown, remember, type Signers, signersOf, unsignedFault } from '../backup/signers.ts'
import { provedManifest, signatureIn } from '../backup/verify.ts'

/**
 * The manifest of a copy that comes from its host. Where nothing is known of who signs for it, and where nobody has, the
 * operator is asked, before anything in the copy is looked at.
 */
export async function trustedManifest(
  folder: string,
  name: Name,
  session: Session,
  host: InventoryHost,
  { unsigned }: { readonly unsigned: boolean },
): Promise<Manifest> {
  const { local, signer } = settingsFor(host)
  // Never from where the copy comes from.
  const signers = signersOf(host.name, copiesOf(host.name, local).folder, signer)
  const key = signatureIn(folder)?.key
  if (key === undefined) {
    await agreeUnsigned(signers, name, unsigned, session)
    return provedManifest({ folder, name, signers, unsigned: true })
  }
  if (isAnyKnown(signers)) return provedManifest({ folder, name, signers, unsigned: false })
  await agreeKey(host.name, name, key)
  const manifest = await provedManifest({ folder, name, signers: { ...signers, keys: [key] }, unsigned: false })
  remember(signers, key, name.time)
  return manifest
}

async function agreeUnsigned(signers: Signers, name: Name, wanted: boolean, { options }: Session): Promise<void> {
  const fault = unsignedFault(signers, name.time)
  if (fault !== undefined && (signers.since !== undefined || !wanted)) throw new HostError(fault)
  if (!wanted)
    throw new HostError(
      'is not signed: --unsigned takes a copy of before its host signed, which nobody can prove is its own',
    )
  const age = shownAge(Date.now() - name.time)
  if (!options.own.has('yes'))
    await confirm(`use ${name.name} (${age} old), which nobody has signed, as a backup of ${signers.host}`)
}

/** --yes is no answer: it would be one to whatever key somebody else has made. */
function agreeKey(host: string, { name }: Name, key: string): Promise<void> {
  const fingerprint = fingerprintOf(key)
  const compare = `compare it with what you noted, or on the host: ssh-keygen -lf ${signingKey}`
  return confirm(
    `${name} is signed by ${fingerprint}, and no key that signs the backups of ${host} is known here\n${compare}\ntake it`,
    `once you have compared it, name it in the inventory: hosts: { ${host}: { backups: { signer: '${fingerprint}' } } }`,
  )
}
