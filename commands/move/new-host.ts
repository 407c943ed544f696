import { databaseName } from '../../lib/platform/database-name.ts'
import { freed, ident } from '../../lib/platform/postgres.ts'
import { psql } from '../../lib/platform/postgres-client.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { cacheLayout } from '../../roles/bot/cache/layout.ts'
import { listProcesses } from '../../roles/bot/release/processes/states.ts'
import { allocationsFile } from '../../roles/bot/spec/allocations.ts'
import { layoutOf } from '../../roles/bot/spec/layout.ts'
import { type Place, placeLayout } from '../../roles/bot/spec/place.ts'
import type { Release } from '../../roles/bot/spec/release-record.ts'
import { forgetDump } from './database.ts'
import { awaitSent } from './sending.ts'

/**
 * Shell text: the host has nothing of the bot that could be taken for what is moved there: no container, no database, and first no note
 * that a move before has brought all of it. `place`: where it serves up to now. Fails where the bot serves.
 */
export function clearScript(bot: string, place: Place): Script {
  const database = databaseName(bot)
  return sh`
    ${awaitSent(bot)}
    ${refuseServing(bot)}
    ${writePlace(bot, place)}
    rm -f ${placeLayout(bot).released}
    ${removeContainers(bot)}
    ${forgetDump(bot)}
    ${freed(database)}
    printf '%s\n' ${`drop database if exists ${ident(database)} with (force);`} | ${psql()}`
}

/** Shell text: prints the number of the bot on this host, as `number N`. */
export function numberScript(bot: string): Script {
  return sh`sed -n ${`s/^${bot} /number /p`} ${allocationsFile}`
}

/** Shell text: the releases of the bot up to now, without what is only where it was. */
export function historyScript(bot: string, past: readonly Release[]): Script {
  const { state } = layoutOf(bot)
  const records = past.map(({ dump: _, copy: __, former: ___, ...record }) => `${JSON.stringify(record)}\n`).join('')
  return sh`
    umask 077
    mkdir -p ${state}
    printf %s ${Buffer.from(records).toString('base64')} | base64 -d >${state}/releases.new
    sync ${state}/releases.new
    mv -fT ${state}/releases.new ${state}/releases`
}

/** Shell text: what was moved is complete, and compared. The bot serves here once its old host has given it away. */
export function readyScript(bot: string, place: Place): Script {
  return sh`
    ${refuseServing(bot)}
    ${writePlace(bot, place)}`
}

/** Shell text: the bot does not serve here, was never released here, and never will be by this move. */
export function giveBackScript(bot: string, place: Place): Script {
  return sh`
    ${refuseServing(bot)}
    ${removeContainers(bot)}
    ${writePlace(bot, place)}
    ${forgetDump(bot)}`
}

function refuseServing(bot: string): Script {
  return sh`[ ! -e ${layoutOf(bot).current} ] || { echo ${`${bot} serves here`}; exit 1; }`
}

function removeContainers(bot: string): Script {
  const names = ['blue', 'green', 'migrate', 'client'].map((each) => `botgarden-${bot}-${each}`)
  return sh`
    docker rm -f --volumes ${[...names, cacheLayout(bot).container]} >/dev/null 2>&1 || :
    ${listProcesses(bot)} | xargs -r docker rm -f --volumes >/dev/null`
}

function writePlace(bot: string, place: Place): Script {
  const { place: file } = placeLayout(bot)
  return sh`
    (umask 077; mkdir -p ${layoutOf(bot).state})
    printf '%s\n' ${JSON.stringify(place)} >${file}.new
    sync ${file}.new
    mv -fT ${file}.new ${file}
    sync ${layoutOf(bot).state}`
}
