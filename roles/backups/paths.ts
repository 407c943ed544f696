import { optDir, secretsDir, stateDir } from '../../lib/model/host-layout.ts'

/** On the host: the backup program, its settings, and the status of its last run. */
export const programDir = `${optDir}/backups`

/** On the host: the backups, one folder each. */
export const backupDir = `${stateDir}/backups`

/** On the host: the key that signs backups. It is in the encrypted files of a backup, so a rebuilt host has it again. */
export const signingKey = `${secretsDir}/backup-signing-key`
