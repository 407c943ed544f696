export { down } from './down.ts'
export { type PartStatus, status } from './status.ts'
export { up } from './up.ts'
export { freshVps, inVps, removeVps, restartVps, sshConfigFor } from './vps.ts'
