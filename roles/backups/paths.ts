import { optDir, secretsDir, stateDir } from '../../lib/model/host-layout.ts'
/** On the host: the program with its settings and what became of its last run. */
export const programDir = `${optDir}/backups`

/** On the host: the backups, a folder each, named by their time. */
export const backupDir = `${stateDir}/backups`

/** On the host: the key that signs them. It travels in the encrypted files of a backup, so a host that is rebuilt has it again. */
export const signingKey = `${secretsDir}/backup-signing-key`
