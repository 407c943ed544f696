import { dumpFunction, dumpsFolder } from '../../../lib/platform/database-dump.ts'
import { databaseName } from '../../../lib/platform/database-name.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { addressOf, type Colour, placesOf } from '../spec/layout.ts'
import type { Release } from '../spec/release-record.ts'
import type { Limits, Spec } from '../spec/spec.ts'
import { askTelegram } from '../telegram/bot-api.ts'
import { forgetWebhook, restoreWebhook } from '../telegram/set-webhook.ts'
import { type BotInstance, serviceFile } from './compose-file.ts'
import { healthFunctions } from './health-check.ts'
import { volumesRefused } from './image-volumes.ts'
import { edgeFunctions } from './nginx-route.ts'
import type { ReleasePolicy } from './policy.ts'
import { forgetImages } from './prune-images.ts'

const functions = shellFile(new URL('switch.sh', import.meta.url))

export interface Switch {
  readonly seat: BotInstance
  readonly spec: Spec
  /** Of the new container. */
  readonly colour: Colour
  /** What serves until then. */
  readonly old: Release | undefined
  /** Its container is there. */
  readonly oldContainerExists: boolean
  readonly terms: ReleasePolicy
  readonly limits: Limits
  /** The names of the secrets whose checksums are recorded. */
  readonly secrets: readonly string[]
}

/**
 * Brings a version to serve. Up to the moment when it is recorded any failure leaves the old one serving, or has it serve
 * again. So does a boot: `always` brings the old one back even where it was stopped by hand, and the new one stays away until
 * the old one is no longer needed for that. What a cut leaves of the other colour the next run removes.
 */
export function switchScript(change: Switch): Script {
  const { seat, spec, colour, old, oldContainerExists: oldRuns, terms, limits, secrets } = change
  const { bot } = seat
  const places = placesOf(bot)
  const { text, file, name } = serviceFile(seat, colour, spec, limits)
  const polls = spec.mode === 'polling'
  const polled = old?.spec.mode === 'polling'
  const bind = sh`docker update --restart always "$new" >/dev/null`
  const nothing = sh`:`
  const script = sh`
    ${volumesRefused(bot, spec)}
    new=${name} former=${old === undefined || !oldRuns ? '' : places.container(old.colour)} switched='' stopped='' forgot=''
    ${healthFunctions(seat, colour, spec)}
    state=${places.state} secrets=${places.secrets}
    ${functions}
    ${edgeFunctions(seat, colour, spec, old)}
    ${undoFunction(change)}
    mkdir -p ${places.compose}
    (umask 077; mkdir -p "$state")
    # What a cut run has switched to is taken back before its container goes.
    ${old?.spec.mode === 'webhook' ? sh`edge_is_back || edge_back` : nothing}
    docker rm -f --volumes "$new" >/dev/null 2>&1 || :
    # By tee, here and below: it names the place that has no room, and the shell's own printf says "I/O error".
    printf %s ${Buffer.from(text).toString('base64')} | base64 -d | tee ${`${file}.new`} >/dev/null
    mv -fT ${`${file}.new`} ${file}
    trap undo EXIT
    # An orderly reboot ends us by it, and sh without a trap of its own then runs no other.
    trap 'exit 143' TERM
    dump=
    ${terms.migrates ? dumpBefore(bot, spec, old) : nothing}
    ${terms.migrates ? migration(seat, spec, file, name) : nothing}
    # Made by an earlier botgarden, the old one may have another policy.
    [ -z "$former" ] || docker update --restart always "$former" >/dev/null
    ${(polls || polled) && oldRuns ? sh`stopped=yes; docker stop --time 20 "$former" >/dev/null` : nothing}
    # Telegram hands out no updates to be asked for as long as a webhook is set, by whomever.
    ${polls ? sh`forgot=yes; ${forgetWebhook(terms.hook)}` : nothing}
    docker compose -f ${file} up --detach --no-build --pull never --quiet-pull 2>&1 || { report_holder; exit 1; }
    # Nothing is delivered to the old one any more: after a boot this one is all there is.
    ${polls && old?.spec.mode === 'webhook' ? bind : nothing}
    await_health
    settle ${terms.settle}
    # Before nginx leads to it: after a boot there are both then, and whichever nginx leads to answers.
    ${polls ? nothing : bind}
    ${spec.mode === 'webhook' ? sh`switched=yes; edge_forth` : old?.spec.mode === 'webhook' ? sh`switched=yes; edge_off` : nothing}
    ${spec.mode === 'webhook' ? delivered(seat, old) : nothing}
    ${record({ spec, colour, by: terms.by, limits }, secrets)}
    # From here on it is the one that serves: what fails now is the next run's to finish.
    trap - EXIT
    # Of two that poll the old one comes back up to here, since both would take the updates from each other. A boot just
    # between these two lines brings both: rather that than none, and the next run leaves one.
    ${polls ? bind : nothing}
    [ -z "$former" ] || docker update --restart no "$former" >/dev/null
    ${old === undefined ? nothing : retire(seat, old, terms)}
    ${forgetImages(bot, [spec.image, ...(old === undefined ? [] : [old.spec.image])], terms.keep)}`
  return { text: script.text, shown: `switch ${bot} to ${spec.image}` }
}

/** Has the old one serve again. */
function undoFunction({ spec, old, terms }: Switch): Script {
  // A webhook that the new one made Telegram forget. Its mark is gone, so the next run looks after it in any case.
  const again = old?.spec.mode === 'webhook' ? restoreWebhook(terms.hook, old.spec) : sh`:`
  const stays = spec.mode === 'webhook' ? sh`:` : sh`docker rm -f --volumes "$new" >/dev/null 2>&1 || :`
  return sh`undo() {
      trap - EXIT
      docker container inspect "$new" >/dev/null 2>&1 && report "$new"
      # Where it still leads to the old one, a full disk is no reason to keep the new one.
      if [ -z "$switched" ] || edge_is_back || edge_back; then
        docker rm -f --volumes "$new" >/dev/null 2>&1 || :
      else
        echo 'nginx could not be brought back, and may lead to the new version still: run site.ts'
        ${stays}
      fi
      [ -z "$stopped" ] || docker start "$former" >/dev/null || echo "the old container does not start: run bot.ts again"
      [ -z "$forgot" ] || { ${again}
      }
      [ -z "$former" ] || echo ${`the version before it serves on: ${old?.spec.image ?? ''}`}
      exit 1
    }`
}

/** Of the database as it was before its migrations changed it: the newest three stay. */
function dumpBefore(bot: string, spec: Spec, old: Release | undefined): Script {
  if (old === undefined || !spec.database || spec.migrate === undefined || spec.migrations === old.spec.migrations)
    return sh`:`
  return sh`
    ${dumpFunction}
    take_dump ${databaseName(bot)} ${`${dumpsFolder}/${bot}`} '' 3
    dump=$taken
    echo "its migrations changed: the database before them is in $dump"`
}

function migration(seat: BotInstance, spec: Spec, file: string, name: string): Script {
  if (spec.migrate === undefined) return sh`:`
  const container = `botgarden-${seat.bot}-migrate`
  return sh`
    docker rm -f --volumes ${container} >/dev/null 2>&1 || :
    docker compose -f ${file} run --rm --no-deps -T --name ${container} ${name} ${spec.migrate} </dev/null 2>&1 || {
      trap - EXIT
      docker rm -f --volumes ${container} >/dev/null 2>&1 || :
      # It has the address of the new version for as long as it runs.
      report_holder
      echo 'the migration failed; nothing else was touched, and the version before it serves on'
      exit 1
    }`
}

/** The end-to-end check: whether Telegram itself has met trouble since. Where it cannot be asked that is told, no more. */
function delivered(seat: BotInstance, old: Release | undefined): Script {
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

function record(release: Pick<Release, 'spec' | 'colour' | 'by' | 'limits'>, secrets: readonly string[]): Script {
  const tag = release.spec.image.replace(/^.*[:@]/, '').slice(-12)
  return sh`record_release ${tag} ${JSON.stringify(release).slice(1, -1)} ${secrets}`
}

function retire({ bot, base, number }: BotInstance, { colour }: Release, { drain }: ReleasePolicy): Script {
  return sh`retire ${placesOf(bot).container(colour)} ${addressOf(base, number, colour)} ${drain}`
}
