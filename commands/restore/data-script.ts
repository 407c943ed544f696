import { asOwner } from '../../lib/platform/as-owner.ts'
import { incoming } from '../../lib/platform/leftovers.ts'
import { lines, type Script, sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'
import { dataProgram } from '../../roles/backups/host-program.ts'
import { copiesFunctions } from '../../roles/bot/data/copy.ts'
import { allocationsFile } from '../../roles/bot/spec/allocations.ts'
import { servingContainer } from './database-script.ts'
import type { DataPart, DataTask } from './restore-task.ts'

const functions = shellFile(new URL('restore-data.sh', import.meta.url))
const swap = shellFile(new URL('swap-data.sh', import.meta.url))

/**
 * Shell text: unpacks an uploaded archive as the bot's user, beside the data that is there, compares all of it with the backup, and
 * has SQLite check its databases. Only then the bot is stopped, and the two change places. A drill ends before that.
 */
export function restoreDataScript(
  { bot, drill, beforeDatabase = false }: DataTask,
  part: DataPart,
  archive: string,
): Script {
  const megabytes = Math.ceil(part.size / 2 ** 20)
  const { text } = sh`
    archive=${archive} stage=${`${incoming}/data-${bot}`} program=${dataProgram}
    wanted=${`{"entries": ${part.entries}, "content": "${part.content}"}`}
    ${asOwner}
    ${functions}
    ${drill ? sh`bot=` : lines([copiesFunctions(bot), swap, servingContainer(bot)])}
    cleanup() {
      trap - EXIT
      rm -rf "$archive" "$stage"
      # Also where an interrupted restore has stopped it.
      [ -z "$bot" ] || docker start "$bot" >/dev/null || { echo 'its container does not start: run site.ts'; exit 1; }
    }
    trap cleanup EXIT
    # A reboot sends TERM. Without a trap for it sh would not run the one of EXIT.
    trap 'exit 143' TERM
    began=$(date +%s)
    number=$(sed -n ${`s/^${bot} //p`} ${allocationsFile} 2>/dev/null) || :
    ${drill ? sh`unpack_data "$((\${number:+20000} + \${number:-65534}))" ${megabytes}` : intoPlace(bot, megabytes)}
    ${beforeDatabase ? sh`bot=''` : sh`:`}
    echo "in $(($(date +%s) - began)) s"`
  return { text, shown: `tar --extract <${archive}` }
}

function intoPlace(bot: string, megabytes: number): Script {
  return sh`
    [ -n "$number" ] || { echo ${`the bot ${bot} is not on this host: deploy it first (bot.ts), or restore the whole host (--host)`}; exit 1; }
    unpack_data "$((20000 + number))" ${megabytes}
    docker ps --quiet --filter ${`label=botgarden.bot=${bot}`} | xargs -r docker stop --time 20 >/dev/null
    swap_data`
}
