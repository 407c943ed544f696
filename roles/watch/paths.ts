import { optDir, secretsDir, stateDir } from '../../lib/model/host-layout.ts'

/** On the host: the program and its settings, a single file, and what jq and awk run. */
export const programDir = `${optDir}/watch`

/** On the host: the token of the bot that sends alerts. */
export const tokenFile = `${secretsDir}/watch-token`

/** On the host: what was found and told, bounded by what there is to be watched. */
export const watchState = `${stateDir}/watch`

/** The marks of sinks that have taken a message: the checksum of what it was sent with. */
export const provedMark = `${watchState}/proved`

const units = '/etc/systemd/system'
export const serviceUnit = 'botgarden-watch.service'
export const timerUnit = 'botgarden-watch.timer'
export const serviceFile = `${units}/${serviceUnit}`
export const timerFile = `${units}/${timerUnit}`

/** Where commits wait for a standby: looks each ten seconds whether it is there. */
export const standbyTimer = 'botgarden-watch-standby.timer'
const standbyService = 'botgarden-watch-standby.service'
export const standbyTimerFile = `${units}/${standbyTimer}`
export const standbyServiceFile = `${units}/${standbyService}`
