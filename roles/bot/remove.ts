import { lineEach } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { dumpFunction, removedFolder } from '../../lib/platform/database-dump.ts'
import { databaseName } from '../../lib/platform/database-name.ts'
import { sitePath } from '../../lib/platform/domain-server.ts'
import { nginxFolder, outdated, reloadFunction } from '../../lib/platform/nginx.ts'
import { freed, ident } from '../../lib/platform/postgres.ts'
import { psql } from '../../lib/platform/postgres-client.ts'
import { containerState } from '../../lib/resources/container.ts'
import { fileState } from '../../lib/resources/file-state.ts'
import { installFile } from '../../lib/shell/install-file.ts'
import { lines, type Script, sh } from '../../lib/shell/sh.ts'
import { cacheLayout } from './cache/layout.ts'
import { dataState } from './data/folders.ts'
import { dataOf } from './data/layout.ts'
import { accessFile, predictNoTcp, removeTcp } from './database/tcp.ts'
import { removeJobs } from './jobs/apply-script.ts'
import { jobsState } from './jobs/state.ts'
import { networkState } from './network.ts'
import { staticFolder } from './public/layout.ts'
import { locationFile } from './release/nginx-route.ts'
import { listProcesses, processStates } from './release/processes/states.ts'
import { removeAllImages } from './release/prune-images.ts'
import { removeReplicas } from './release/replicas/steps.ts'
import { refuseConflicts, removalConflicts } from './removal-conflicts.ts'
import { allocations, allocationsFile } from './spec/allocations.ts'
import { layoutOf } from './spec/layout.ts'
import { currentRelease } from './spec/release-record.ts'
import { askTelegram } from './telegram/bot-api.ts'

/**
 * Removes a bot from its host: containers, network, database, secrets, records. Without `purge` a final dump is kept. `isMoved`: it
 * serves on another host, and its webhook is there. Without `hasDatabase` that of the server is left alone: a standby's comes by replication.
 */
export function botAbsent(
  bot: string,
  telegram: string,
  { purge, isMoved = false, hasDatabase = true }: { purge: boolean; isMoved?: boolean; hasDatabase?: boolean },
): Resource {
  const layout = layoutOf(bot)
  const reads = {
    current: currentRelease(bot),
    network: networkState(layout.network),
    blue: containerState(layout.container('blue')),
    green: containerState(layout.container('green')),
    taken: allocations,
    conflicts: removalConflicts(bot),
    toDatabase: networkState(layout.databaseNetwork),
    access: fileState(accessFile(bot)),
    data: dataState(bot),
    processes: processStates(bot),
    kept: keptData(bot),
    jobs: jobsState(bot),
  }
  return resource({
    id: `bot:${bot}`,
    wants: 'absent',
    reads,
    plan: ({ current, network, blue, green, taken, conflicts: ties, ...there }) => {
      const { toDatabase, access, data, processes, kept, jobs } = there
      const noContainer = blue === 'absent' && green === 'absent' && processes === undefined
      const gone = jobs === undefined && current === undefined && network === undefined && noContainer
      const noDatabase = toDatabase === undefined && access === 'absent'
      if (gone && noDatabase && data === undefined && taken[bot] === undefined && !(purge && kept)) return []
      refuseConflicts(bot, ties)
      const { [bot]: _, ...others } = taken
      return [
        {
          summary: purge
            ? 'remove with all its data'
            : `remove, after a final dump of its database${data === undefined ? '' : `; its data is kept in ${removedFolder}`}`,
          script: removal(bot, isMoved ? undefined : telegram, purge, hasDatabase),
          long: true,
          predicts: [
            becomes(reads.current, undefined),
            becomes(reads.network, undefined),
            becomes(reads.blue, 'absent' as const),
            becomes(reads.green, 'absent' as const),
            becomes(reads.data, undefined),
            becomes(reads.jobs, undefined),
            becomes(reads.processes, undefined),
            ...(purge ? [becomes(reads.kept, false)] : []),
            becomes(allocations, others),
            ...predictNoTcp(bot),
            outdated,
          ],
        },
      ]
    },
  })
}

function removal(bot: string, telegram: string | undefined, purge: boolean, hasDatabase: boolean) {
  const layout = layoutOf(bot)
  const database = databaseName(bot)
  const dump = sh`
    ${dumpFunction}
    there=$(printf %s ${`select count(*) from pg_database where datname = '${database}'`} | ${psql()})
    if [ "$there" = 1 ]; then
      take_dump ${database} ${removedFolder} ${`${bot}-`}
      echo "final dump: $taken"
    fi`
  const noDatabase = sh`
    ${freed(database)}
    ${purge ? sh`:` : dump}
    printf '%s\n' ${`drop database if exists ${ident(database)} with (force);`} ${`drop role if exists ${ident(database)};`} | ${psql()}`
  const others = sh`grep -v ${`^${bot} `} ${allocationsFile} >"$candidate" || [ $? = 1 ]`
  const noWebhook =
    telegram === undefined
      ? sh`[ ! -e ${layout.current} ] || { echo ${`${bot} serves here`}; exit 1; }`
      : sh`[ ! -e ${layout.secrets}/token ] || { ${askTelegram(telegram, `${layout.secrets}/token`, 'deleteWebhook')}
    } | grep -q '"ok":true' || echo 'warning: Telegram does not answer: its webhook may still point to this host'`
  const { text } = sh`
    ${reloadFunction()}
    ${noWebhook}
    ${removeJobs(bot)}
    for name in blue green migrate client cache; do docker rm -f --volumes ${`botgarden-${bot}`}-"$name" >/dev/null 2>&1 || :; done
    ${listProcesses(bot)} | xargs -r docker rm -f --volumes >/dev/null 2>&1 || :
    for file in ${[locationFile(bot), sitePath(bot)]}; do rm -f ${nginxFolder}/conf/"$file"; done
    # A removal that was cut may have left the server with the routes.
    [ ! -d ${nginxFolder}/generations ] || nginx_is_current || nginx_reload
    rm -rf ${staticFolder(bot)}
    # After its containers are gone, so that no session comes back.
    ${hasDatabase ? noDatabase : sh`:`}
    ${removeTcp(bot)}
    ${removeReplicas(bot)}
    ! docker network inspect ${layout.network} >/dev/null 2>&1 || docker network rm ${layout.network} >/dev/null
    rm -f ${layout.current}
    ${removeAllImages(bot)}
    ${purge ? sh`rm -rf ${keptPath(bot)}` : keepData(bot)}
    rm -rf ${layout.compose} ${layout.secrets} ${layout.state} ${dataOf(bot).all}
    ${installFile(allocationsFile, { owner: 'root:root', mode: '0600', write: others })}`
  return { text, shown: `remove ${bot}` }
}

/** Shell text: moves the data to where final dumps go. */
function keepData(bot: string) {
  const { current } = dataOf(bot)
  return sh`
    if [ -d ${current} ]; then
      (umask 077; mkdir -p ${removedFolder})
      kept=${`${removedFolder}/${bot}`}-$(date -u +%Y%m%d-%H%M%S).data
      mv -T ${current} "$kept"
      [ ! -d ${cacheLayout(bot).data} ] || mv -T ${cacheLayout(bot).data} "$kept/cache="
      echo "its data is kept in $kept"
    fi`
}

/** Whether the host still keeps the data of a bot that was removed. */
function keptData(bot: string): Reading<boolean> {
  return reading(keptKind, bot)
}

const keptKind: Kind<boolean> = {
  name: 'kept-data',
  script: (bots) =>
    lines(bots.map((bot) => sh`if [ -n "$(ls -d ${keptPath(bot)} 2>/dev/null)" ]; then echo kept; else echo; fi`)),
  parse: lineEach((line) => line === 'kept'),
}

/** Shell words: where removed data of this bot is, and of no other whose name begins like it. */
function keptPath(bot: string): Script {
  const text = `${removedFolder}/${bot}-${'[0-9]'.repeat(8)}-${'[0-9]'.repeat(6)}.data`
  return { text, shown: text }
}
