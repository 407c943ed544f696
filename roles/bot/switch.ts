import { createHash } from 'node:crypto'
import { nginxFolder, reloadFunction } from '../../lib/nginx.ts'
import { postgresContainer } from '../../lib/postgres-catalog.ts'
import { type Script, sh } from '../../lib/sh.ts'
import { locationFile, locationText } from './edge.ts'
import { healthFunction, reportFunction } from './health.ts'
import { addressOf, type Colour, placesOf } from './place.ts'
import type { Release, Terms } from './release.ts'
import { type Seat, serviceFile } from './service.ts'
import { databaseName, type Limits, type Spec } from './spec.ts'
import { askTelegram } from './telegram.ts'

export interface Switch {
  readonly seat: Seat
  readonly spec: Spec
  /** Of the new container. */
  readonly colour: Colour
  /** What serves until then. */
  readonly old: Release | undefined
  /** Its container is there. */
  readonly oldRuns: boolean
  readonly terms: Terms
  readonly limits: Limits
  /** The names of the secrets whose checksums are recorded. */
  readonly secrets: readonly string[]
}

/**
 * Brings a version to serve. Up to the moment when it is recorded any failure leaves the old one serving, or has it serve
 * again; a cut leaves containers that the next run knows for leftovers, since a boot does not bring them back.
 */
export function switchScript({ seat, spec, colour, old, oldRuns, terms, limits, secrets }: Switch): Script {
  const { bot } = seat
  const places = placesOf(bot)
  const { text, file, name } = serviceFile(seat, colour, spec, limits)
  const oldName = old === undefined || !oldRuns ? '' : places.container(old.colour)
  const polling = spec.mode === 'polling' || old?.spec.mode === 'polling'
  const script = sh`
    new=${name} old=${oldName} switched= stopped=
    ${reportFunction()}
    ${healthFunction(seat, colour, spec)}
    ${edgeFunctions(seat, colour, spec, old)}
    undo() {
      trap - EXIT
      docker container inspect "$new" >/dev/null 2>&1 && report "$new"
      [ -z "$switched" ] || edge_back || echo 'nginx could not be brought back: run site.ts'
      docker rm -f "$new" >/dev/null 2>&1 || :
      [ -z "$stopped" ] || docker start "$old" >/dev/null || echo "the old container does not start: run bot.ts again"
      [ -z "$old" ] || echo ${`the version before it serves on: ${old?.spec.image ?? ''}`}
      exit 1
    }
    mkdir -p -m 0755 ${places.compose}
    mkdir -p -m 0700 ${places.state}
    # What a cut run has switched to is taken back before its container goes.
    ${old?.spec.mode === 'webhook' ? sh`edge_is_back || edge_back` : sh`:`}
    docker rm -f "$new" >/dev/null 2>&1 || :
    printf %s ${Buffer.from(text).toString('base64')} | base64 -d >${`${file}.new`}
    mv -fT ${`${file}.new`} ${file}
    trap undo EXIT
    dump=
    ${terms.migrates ? dumpBefore(bot, spec, old) : sh`:`}
    ${terms.migrates ? migration(seat, spec, file, name) : sh`:`}
    ${polling && oldRuns ? sh`docker stop --time 20 "$old" >/dev/null; stopped=yes` : sh`:`}
    docker compose -f ${file} up --detach --no-build --pull never --quiet-pull 2>&1
    await_health
    settle ${terms.settle}
    ${spec.mode === 'webhook' ? sh`switched=yes; edge_forth` : old?.spec.mode === 'webhook' ? sh`switched=yes; edge_off` : sh`:`}
    ${spec.mode === 'webhook' ? delivered(seat, old) : sh`:`}
    ${record(seat, { spec, colour, by: terms.by, limits }, secrets)}
    # From here on it is the one that serves: what fails now is the next run's to finish.
    trap - EXIT
    docker update --restart unless-stopped "$new" >/dev/null
    ${old === undefined ? sh`:` : retire(seat, old, terms)}
    ${forgetImages(bot, [spec.image, ...(old === undefined ? [] : [old.spec.image])], terms.keep)}`
  return { text: script.text, shown: `switch ${bot} to ${spec.image}` }
}

/** Has the version that is recorded serve, now and after a boot, and nothing beside it. */
export function startAgain(seat: Seat, current: Release, limits: Limits, start: boolean): Script {
  const places = placesOf(seat.bot)
  const { text, file, name } = serviceFile(seat, current.colour, current.spec, limits)
  const idle = places.container(current.colour === 'blue' ? 'green' : 'blue')
  const up = sh`
    mkdir -p -m 0755 ${places.compose}
    printf %s ${Buffer.from(text).toString('base64')} | base64 -d >${`${file}.new`}
    mv -fT ${`${file}.new`} ${file}
    docker compose -f ${file} up --detach --no-build --pull never --quiet-pull 2>&1
    await_health || { report "$new"; exit 1; }`
  const script = sh`
    new=${name}
    ${reportFunction()}
    ${healthFunction(seat, current.colour, current.spec)}
    ${edgeFunctions(seat, current.colour, current.spec, current)}
    ${start ? up : sh`:`}
    docker update --restart unless-stopped "$new" >/dev/null
    ${current.spec.mode === 'webhook' ? sh`edge_is_back || edge_back` : sh`:`}
    docker rm -f ${idle} >/dev/null 2>&1 || :`
  return { text: script.text, shown: start ? `docker compose -f ${file} up` : `docker rm -f ${idle}` }
}

/** nginx's file of the bot, put there and taken back. */
function edgeFunctions(seat: Seat, colour: Colour, spec: Spec, old: Release | undefined): Script {
  const { bot, base, number } = seat
  const file = `${nginxFolder}/conf/${locationFile(bot)}`
  const text = locationText(bot, addressOf(base, number, colour), spec.port, spec.webhookPath)
  const before =
    old?.spec.mode === 'webhook'
      ? locationText(bot, addressOf(base, number, old.colour), old.spec.port, old.spec.webhookPath)
      : undefined
  // Joined, since whoever calls it with || takes `set -e` away.
  const put = (content: string) => sh`
      printf %s ${Buffer.from(content).toString('base64')} | base64 -d >${`${file}.new`} &&
        [ "$(sha256sum <${`${file}.new`} | cut -c 1-64)" = ${sha256(content)} ] &&
        mv -fT ${`${file}.new`} ${file} && nginx_reload`
  return sh`
    ${reloadFunction()}
    edge_forth() { ${put(text)}
    }
    edge_off() { rm -f ${file} && nginx_reload; }
    edge_is_back() { [ "$(sha256sum <${file} 2>/dev/null | cut -c 1-64)" = ${before === undefined ? '' : sha256(before)} ]; }
    edge_back() { ${before === undefined ? sh`edge_off` : put(before)}
    }`
}

/** Of the database as it was before its migrations changed it: the newest three stay. */
function dumpBefore(bot: string, spec: Spec, old: Release | undefined): Script {
  if (old === undefined || !spec.database || spec.migrate === undefined || spec.migrations === old.spec.migrations)
    return sh`:`
  const folder = `/var/lib/botgarden/dumps/${bot}`
  return sh`
    mkdir -p -m 0700 /var/lib/botgarden/dumps ${folder}
    dump=${folder}/$(date -u +%Y%m%d-%H%M%S).dump
    (umask 077; docker exec ${postgresContainer} pg_dump -U postgres -Fc ${databaseName(bot)} >"$dump.new")
    docker exec -i ${postgresContainer} pg_restore --list <"$dump.new" >/dev/null
    sync "$dump.new"
    mv -fT "$dump.new" "$dump"
    echo "its migrations changed: the database before them is in $dump"
    ls -1 ${folder}/[0-9]*.dump | sort -r | tail -n +4 | xargs -r rm -f`
}

function migration(seat: Seat, spec: Spec, file: string, name: string): Script {
  if (spec.migrate === undefined) return sh`:`
  const container = `botgarden-${seat.bot}-migrate`
  return sh`
    docker rm -f ${container} >/dev/null 2>&1 || :
    docker compose -f ${file} run --rm --no-deps -T --name ${container} ${name} ${spec.migrate} </dev/null 2>&1 || {
      trap - EXIT
      docker rm -f ${container} >/dev/null 2>&1 || :
      echo 'the migration failed; nothing else was touched, and the version before it serves on'
      exit 1
    }`
}

/** The end-to-end check: whether Telegram itself has met trouble since. Where it cannot be asked that is told, no more. */
function delivered(seat: Seat, old: Release | undefined): Script {
  if (old?.spec.mode !== 'webhook') return sh`:`
  const { secrets } = placesOf(seat.bot)
  return sh`
    since=$(date +%s)
    sleep 2
    answer=$(${askTelegram(seat.telegram, `${secrets}/token`, 'getWebhookInfo')})
    case $answer in
    *'"ok":true'*)
      failed=$(printf %s "$answer" | sed -n 's/.*"last_error_date":\([0-9]*\).*/\1/p')
      if [ -n "$failed" ] && [ "$failed" -gt "$since" ]; then
        echo "Telegram cannot deliver to the new version: $(printf %s "$answer" | sed -n 's/.*"last_error_message":"\([^"]*\)".*/\1/p')"
        exit 1
      fi ;;
    *) echo 'warning: Telegram does not answer; whether it can deliver is not known' ;;
    esac`
}

/** The moment at which the new version is the one that serves. */
function record(
  { bot }: Seat,
  release: Pick<Release, 'spec' | 'colour' | 'by' | 'limits'>,
  secrets: readonly string[],
): Script {
  const { state, current, secrets: folder } = placesOf(bot)
  const tag = release.spec.image.replace(/^.*[:@]/, '').slice(-12)
  const head = JSON.stringify(release).slice(1, -1)
  return sh`
    sums=
    for secret in ${secrets}; do sums="$sums\${sums:+,}\"$secret\":\"$(sha256sum <${folder}/"$secret" | cut -c 1-64)\""; done
    printf '{"id":"%s","secrets":{%s},%s%s}\n' "$(date -u +%Y%m%d-%H%M%S)-"${tag} "$sums" ${head} "\${dump:+,\"dump\":\"$dump\"}" >${`${current}.new`}
    sync ${`${current}.new`}
    cat ${`${current}.new`} >>${`${state}/releases`}
    mv -fT ${`${current}.new`} ${current}`
}

/** nginx's old workers finish what they have begun; only then is the old container told to stop. */
function retire({ bot, base, number }: Seat, old: Release, { drain }: Terms): Script {
  const places = placesOf(bot)
  const name = places.container(old.colour)
  return sh`
    for second in $(seq ${drain}); do
      [ "$second" = 1 ] || [ -n "$(ss -Htn state established dst ${addressOf(base, number, old.colour)})" ] || break
      sleep 1
    done
    docker stop --time 20 ${name} >/dev/null 2>&1 || :
    docker rm -f ${name} >/dev/null 2>&1 || :`
}

/** Only images that were built for this bot, and say so themselves; the newest come first in the list. */
function forgetImages(bot: string, kept: readonly string[], keep: number): Script {
  return sh`
    docker image ls --filter ${`label=botgarden.bot=${bot}`} --format '{{.Repository}}:{{.Tag}}' | grep -vxF ${kept.flatMap((each) => ['-e', each])} |
      tail -n +${keep + 1} | xargs -r docker image rm >/dev/null 2>&1 || :`
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
