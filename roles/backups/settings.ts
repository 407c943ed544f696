import type { BackupsVars } from './schema.ts'

/** The vars with what is left out filled in: that nothing at all is said must be told from that. */
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
  }
}

export type Settings = ReturnType<typeof settingsOf>

export const missingRecipients =
  'backups.recipients: missing: backups are only ever written encrypted. age-keygen makes a key: keep its file away from ' +
  'the host, and name its public half, age1…, here'
