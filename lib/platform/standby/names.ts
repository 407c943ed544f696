/** The role by which a standby replicates. With a dash, which no bot's role has. */
export const standbyRole = 'botgarden-standby'

/** The slot that keeps WAL for the standby, on whichever of the two hosts is the primary. */
export const standbySlot = 'standby'
