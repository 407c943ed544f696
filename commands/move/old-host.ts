import { runDir } from '../../lib/model/host-layout.ts'
import { databaseName } from '../../lib/platform/database-name.ts'
import { waiting } from '../../lib/shell/deadline.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { cacheLayout } from '../../roles/bot/cache/layout.ts'
import { removeJobs } from '../../roles/bot/jobs/apply-script.ts'
import { jobsLayout } from '../../roles/bot/jobs/layout.ts'
import { layoutOf } from '../../roles/bot/spec/layout.ts'
import type { Place } from '../../roles/bot/spec/place.ts'
import type { Spec } from '../../roles/bot/spec/spec.ts'
import { perform } from './perform.ts'

const functions = shellFile(new URL('old-host.sh', import.meta.url))

/** Stops a bot, and keeps its jobs from beginning as long as the connection lasts. Returns when it was started last, as its engine says. */
export function stopBot(connection: Connection, bot: string, spec: Spec): Promise<string> {
  const lock = `(umask 077; mkdir -p ${runDir}); exec 5>>${jobsLayout(bot).lock}`
  return perform(connection, stopScript(bot, spec), lock)
}

export function stopScript(bot: string, { database }: Pick<Spec, 'database'>): Script {
  return sh`
    ${onOldHost(bot, database)}
    under_lock stop_bot
    last_start`
}

/** From here on this host does not serve the bot: this decides. Fails where the bot has run since it was stopped. */
export function giveAway(connection: Connection, bot: string, startedAt: string, place: Place): Promise<string> {
  return perform(connection, giveAwayScript(bot, startedAt, place))
}

export function giveAwayScript(bot: string, startedAt: string, place: Place): Script {
  return sh`
    ${onOldHost(bot, false)}
    under_lock give_away ${startedAt.trim()} ${JSON.stringify(place)}`
}

/** What a bot that was given away must not leave running: its jobs, and what a cut decision has left. */
export function quietScript(bot: string): Script {
  return sh`
    [ ! -e ${layoutOf(bot).current} ] || exit 1
    ${removeJobs(bot)}
    rm -f ${`${layoutOf(bot).state}/stopped`}`
}

/** The bot serves as before it was stopped, unless it was given away. Returns whether it was started. */
export async function bringBack(connection: Connection, bot: string): Promise<boolean> {
  return (await perform(connection, bringBackScript(bot))).includes('started')
}

export function bringBackScript(bot: string): Script {
  return sh`
    ${onOldHost(bot, false)}
    under_lock bring_back`
}

/** Shell text: the release that was given away is the one that serves again, once it was started. */
export function takeBackScript(bot: string, place: Place): Script {
  return sh`
    ${onOldHost(bot, false)}
    under_lock take_back ${JSON.stringify(place)}`
}

function onOldHost(bot: string, database: boolean): Script {
  const { state } = layoutOf(bot)
  return sh`
    bot=${bot} state=${state} cache=${cacheLayout(bot).container} database=${database ? databaseName(bot) : ''}
    (umask 077; mkdir -p ${runDir})
    ${waiting}
    ${functions}`
}
