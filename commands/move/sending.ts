import { runDir } from '../../lib/model/host-layout.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'

/** Shell text: what comes to this host for the bot is on its way up to the end of this shell, which a run that is killed leaves behind. */
export function isSent(bot: string): Script {
  return sh`
    ${opened(bot)}
    flock -s 8`
}

/** Shell text: waits until nothing of an earlier run comes to this host for the bot. */
export function awaitSent(bot: string): Script {
  return sh`
    ${opened(bot)}
    flock -w 120 8 || { echo 'what an earlier run was sending still comes to this host: run this again'; exit 1; }
    exec 8>&-`
}

function opened(bot: string): Script {
  return sh`
    (umask 077; mkdir -p ${runDir})
    exec 8>>${`${runDir}/sent-${bot}.lock`}`
}
