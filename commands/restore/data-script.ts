import { dirname } from 'node:path'
import { asOwner } from '../../lib/platform/as-owner.ts'
import { incoming } from '../../lib/platform/leftovers.ts'
import { lines, type Script, sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'
import { dataProgram } from '../../roles/backups/host-program.ts'
import { cacheLayout } from '../../roles/bot/cache/layout.ts'
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
  { bot, kind, drill, beforeDatabase = false }: DataTask,
  part: DataPart,
  archive: string,
): Script {
  const megabytes = Math.ceil(part.size / 2 ** 20)
  const { text } = sh`
    archive=${archive} stage=${`${incoming}/${kind}-${bot}`} program=${dataProgram}
    wanted=${`{"entries": ${part.entries}, "content": "${part.content}"}`}
    ${asOwner}
    ${functions}
    ${drill ? sh`bot=` : servingContainer(bot)}
    ${drill ? sh`:` : kind === 'data' ? lines([copiesFunctions(bot), swap]) : swapCache(bot)}
    cleanup() {
      trap - EXIT
      rm -rf "$archive" "$stage"
      ${kind === 'cache' && !drill ? startCache(bot) : sh`:`}
      # Also where an interrupted restore has stopped it.
      [ -z "$bot" ] || printf '%s\n' "$bot" | xargs docker start >/dev/null || { echo 'its container does not start: run site.ts'; exit 1; }
    }
    trap cleanup EXIT
    # A reboot sends TERM. Without a trap for it sh would not run the one of EXIT.
    trap 'exit 143' TERM
    began=$(date +%s)
    number=$(sed -n ${`s/^${bot} //p`} ${allocationsFile} 2>/dev/null) || :
    ${drill ? sh`unpack_data "$((\${number:+20000} + \${number:-65534}))" ${megabytes}` : intoPlace(bot, kind, megabytes)}
    ${beforeDatabase ? sh`bot=''` : sh`:`}
    echo "in $(($(date +%s) - began)) s"`
  return { text, shown: `tar --extract <${archive}` }
}

function intoPlace(bot: string, kind: DataTask['kind'], megabytes: number): Script {
  return sh`
    [ -n "$number" ] || { echo ${`the bot ${bot} is not on this host: deploy it first (bot.ts), or restore the whole host (--host)`}; exit 1; }
    unpack_data "$((20000 + number))" ${megabytes}
    docker ps --quiet --filter ${`label=botgarden.bot=${bot}`} | xargs -r docker stop --time 20 >/dev/null
    ${kind === 'data' ? sh`swap_data` : sh`swap_cache`}`
}

/** A cache is replaced by what a backup has of it; nothing of what it held is kept. */
function swapCache(bot: string): Script {
  const { container, data } = cacheLayout(bot)
  return sh`
    swap_cache() {
      docker stop --time 20 ${container} >/dev/null 2>&1 || :
      (umask 077; mkdir -p ${dirname(data)})
      rm -rf ${data}
      mv -T "$stage" ${data}
      sync -f ${data}
    }`
}

function startCache(bot: string): Script {
  const { container } = cacheLayout(bot)
  return sh`! docker container inspect ${container} >/dev/null 2>&1 || docker start ${container} >/dev/null || echo 'its cache does not start: run site.ts'`
}
