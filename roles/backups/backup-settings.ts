import type { BackupsVars } from './schema.ts'

/** The vars with defaults. They are not in the schema, so that empty vars can be told from vars without recipients. */
export function settingsOf(vars: BackupsVars) {
  return {
    schedule: vars.schedule ?? '17 3 * * *',
    keep: vars.keep ?? { daily: 7, weekly: 5, monthly: 6 },
    minFree: vars.minFree ?? 15,
    timeLimit: vars.timeLimit ?? 7200,
    alert: vars.alert ?? {},
    local: vars.local ?? 'backups',
    signer: vars.signer,
    offsite: vars.offsite,
    continuous: continuousOf(vars.continuous),
  }
}

/** Undefined where the inventory does not ask for it. */
function continuousOf(wanted: BackupsVars['continuous'] = false) {
  if (wanted === false) return undefined
  const { days = 7, to } = wanted === true ? {} : wanted
  return { days, to }
}

export type Continuous = NonNullable<ReturnType<typeof continuousOf>>

export type BackupSettings = ReturnType<typeof settingsOf>

export const missingRecipients =
  'backups.recipients: missing: backups are always encrypted. Create a key with age-keygen, keep its file away from ' +
  'the host, and list its public key, age1…, here'
