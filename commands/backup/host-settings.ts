import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { isStandby } from '../../lib/platform/standby/names.ts'
import { InventoryError } from '../../lib/std/errors.ts'
import { type BackupSettings, missingRecipients, settingsOf } from '../../roles/backups/backup-settings.ts'
import type { BackupsVars } from '../../roles/backups/schema.ts'

export function refuseUnencrypted(hosts: readonly InventoryHost[]): void {
  const without = hosts.filter(({ vars }) => (vars.backups as BackupsVars).recipients === undefined)
  if (without.length > 0)
    throw new InventoryError(without.map(({ name }) => `hosts.${name}: ${missingRecipients}`).join('\n'))
}

export function settingsFor(host: InventoryHost | undefined): BackupSettings {
  return settingsOf((host?.vars.backups ?? {}) as BackupsVars)
}

/** The same for the archive of WAL: that of a standby is the one of its primary. */
export function archiveSettings(host: InventoryHost, hosts: readonly InventoryHost[]): BackupSettings {
  const settings = settingsFor(host)
  return isStandby(host, hosts) ? { ...settings, continuous: undefined } : settings
}
