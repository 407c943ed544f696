/** On the host: the program with its settings and what became of its last run. */
export const programDir = '/opt/botgarden/backups'

/** On the host: the backups, a folder each, named by their time. */
export const backupDir = '/var/lib/botgarden/backups'

/** On the host: the key that signs them. It travels in the encrypted files of a backup, so a host that is rebuilt has it again. */
export const signingKey = '/etc/botgarden/secrets/backup-signing-key'
