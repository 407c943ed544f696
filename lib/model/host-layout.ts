/*
 * The directories on a host that belong to botgarden alone. They are here and not in lib/platform, since lib/resources and
 * lib/engine write below them too, and may import no room above this one. Files of shell (`.sh`) and templates spell them out.
 */

/** Configuration and secrets, root's alone. */
export const etcDir = '/etc/botgarden'

/** The files with one secret each that containers and jobs read. */
export const secretsDir = `${etcDir}/secrets`

/** State that no configuration can replace: data, backups, records of releases. */
export const stateDir = '/var/lib/botgarden'

/** Compose projects and programs, written from the inventory. */
export const optDir = '/opt/botgarden'

/** What a reboot may take: sockets, locks, the output of steps. It is in memory. */
export const runDir = '/run/botgarden'
