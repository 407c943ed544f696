import { runDir } from '../../../lib/model/host-layout.ts'
import { databaseName } from '../../../lib/platform/database-name.ts'
import { waiting } from '../../../lib/shell/deadline.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import type { Connection } from '../../../lib/ssh/connection.ts'
import { perform } from '../../../lib/ssh/perform.ts'
import { cacheLayout } from '../../../roles/bot/cache/layout.ts'
import { removeJobs } from '../../../roles/bot/jobs/apply-script.ts'
import { jobsLayout } from '../../../roles/bot/jobs/layout.ts'
import { layoutOf } from '../../../roles/bot/spec/layout.ts'
import type { Place } from '../../../roles/bot/spec/place.ts'
import type { Release } from '../../../roles/bot/spec/release-record.ts'

const part = (name: string) => shellFile(new URL(`${name}.sh`, import.meta.url))
const [lock, stop, away, back, take] = [
  part('lock'),
  part('stop'),
  part('give-away'),
  part('bring-back'),
  part('take-back'),
]

/** Stops a bot, and keeps its jobs from beginning as long as the connection lasts. Returns when it was started last, as its engine says. */
export function stopBot(connection: Connection, bot: string, release: Serving): Promise<string> {
  const jobs = `(umask 077; mkdir -p ${runDir}); exec 5>>${jobsLayout(bot).lock}`
  return perform(connection, stopScript(bot, release), { prelude: jobs })
}

/** The release that is moved. */
type Serving = Pick<Release, 'id' | 'spec'>

export function stopScript(bot: string, { id, spec: { database } }: Serving): Script {
  return sh`
    ${ofBot(bot)}
    release=${`{"id":"${id}",`} cache=${cacheLayout(bot).container} database=${database ? databaseName(bot) : ''}
    ${waiting}
    ${stop}`
}

/** From here on this host does not serve the bot: this decides. Fails where the bot has run since it was stopped. */
export function giveAway(connection: Connection, bot: string, startedAt: string, place: Place): Promise<string> {
  return perform(connection, giveAwayScript(bot, startedAt, place))
}

export function giveAwayScript(bot: string, startedAt: string, place: Place): Script {
  return sh`
    ${ofBot(bot)}
    cache=${cacheLayout(bot).container} started=${startedAt.trim()} place=${JSON.stringify(place)}
    ${decide}
    ${away}`
}

/** Shell text of a function: the bot, in `$bot`, `$state` and `$place`, is served elsewhere from then on. */
export const decide: Script = shellFile(new URL('decide.sh', import.meta.url))

/** Shell text: what a bot that was given away must not leave, its jobs. Fails where it serves. */
export function quietScript(bot: string): Script {
  const { state, current } = layoutOf(bot)
  return sh`
    [ ! -e ${current} ] || { echo ${`${bot} serves here`}; exit 1; }
    ${removeJobs(bot)}
    rm -rf ${state}/stopped /run/botgarden-move-${bot}-data /run/botgarden-move-${bot}-cache`
}

/** The bot serves as before it was stopped, unless it was given away. Returns whether it was started. */
export async function bringBack(connection: Connection, bot: string): Promise<boolean> {
  return (await perform(connection, bringBackScript(bot))).includes('started')
}

export function bringBackScript(bot: string): Script {
  return sh`
    ${ofBot(bot)}
    ${back}`
}

/** Shell text: the release that was given away is the one that serves again, once it was started. */
export function takeBackScript(bot: string, place: Place): Script {
  return sh`
    ${ofBot(bot)}
    place=${JSON.stringify(place)}
    ${take}`
}

function ofBot(bot: string): Script {
  return sh`
    bot=${bot} state=${layoutOf(bot).state}
    (umask 077; mkdir -p ${runDir})
    ${lock}`
}
