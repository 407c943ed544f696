import { stateDir } from '../model/host-layout.ts'
import { shellFile } from '../shell/shell-file.ts'

/** Where the host keeps the files from before a guarded change, and the state of the decision about it. */
export const guardFolder = `${stateDir}/guard`

/** The prefix of the units that guarded steps run in, one unit a step. */
export const guardedUnit = 'botgarden-guarded-'

/**
 * The script that reverts a change, run by the host alone. After an interruption, by a reboot, it runs again: `reverted` is
 * its last step. A file that cannot be restored, immutable or mounted, does not stop the others. A hard link to the kept file
 * needs no space on a full disk.
 */
export const takeBack = shellFile(new URL('revert.sh', import.meta.url)).text

/** The unit that runs it: by the timer, and after a boot. */
export const takeBackUnit = `[Unit]
Description=botgarden: take back a guarded change that nobody confirmed
ConditionPathExists=|${guardFolder}/armed
ConditionPathExists=|${guardFolder}/reverting
# After a boot nobody is left to confirm.
After=ssh.service ufw.service

[Service]
Type=oneshot
ExecStart=/bin/sh ${guardFolder}/take-back

[Install]
WantedBy=multi-user.target
`
