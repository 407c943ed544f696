import { shellFile } from '../shell/shell-file.ts'

/** Shell text: `upgrade_fault` prints why the last night's updates failed, in one line; an empty one where they did not. */
export const upgradeFault = shellFile(new URL('upgrade-fault.sh', import.meta.url))
