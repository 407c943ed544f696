/** On the host: the backup program, its settings, and the status of its last run. */
export const programDir = '/opt/botgarden/backups'

/** On the host: the backups, one folder each. */
export const backupDir = '/var/lib/botgarden/backups'

/** On the host: the key that signs backups. It is in the encrypted files of a backup, so a rebuilt host has it again. */
export const signingKey = '/etc/botgarden/secrets/backup-signing-key'
