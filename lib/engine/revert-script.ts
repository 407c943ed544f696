import { stateDir } from '../model/host-layout.ts'
import { shellFile } from '../shell/shell-file.ts'

/** Where the host keeps what was there before a guarded change, and how far the decision about it has come. */
export const guardFolder = `${stateDir}/guard`

/** What the names of the units begin with that guarded steps run in, each in one of its own. */
export const guardedUnit = 'botgarden-guarded-'

/**
 * What the host runs alone. Cut in the middle, by a reboot, it is run again: it only ends with `reverted`. What cannot be put
 * back, a file that is immutable or mounted, keeps nothing else from it. A link to what was kept needs no room on a full disk.
 */
export const takeBack = shellFile(new URL('revert.sh', import.meta.url)).text

/** The unit that runs it: by the clock, and after a boot. */
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
