import { runDir } from '../../../lib/model/host-layout.ts'
import { dumpFunction, dumpsFolder } from '../../../lib/platform/database-dump.ts'
import { databaseName } from '../../../lib/platform/database-name.ts'
import { lines, type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { copyFunctions } from '../data/copy.ts'
import { writesAlone } from '../data/layout.ts'
import { formerOf } from '../public/layout.ts'
import { extractScript, pruneScript } from '../public/static-files.ts'
import type { BotInstance } from '../spec/instance.ts'
import { addressOf, type Colour, layoutOf } from '../spec/layout.ts'
import type { Limits } from '../spec/limits.ts'
import { imagesIn } from '../spec/processes.ts'
import type { Release } from '../spec/release-record.ts'
import type { Spec } from '../spec/spec.ts'
import { deliveryCheck, deliveryFunctions, ownWebhook } from '../telegram/delivery.ts'
import { deleteWebhook, restoreWebhook } from '../telegram/set-webhook.ts'
import { serviceFile } from './compose-file.ts'
import { healthFunctions } from './health-check.ts'
import { refuseVolumesScript } from './image-volumes.ts'
import { keepLogFunctions } from './logs/kept-log.ts'
import { isRouted, routeFunctions } from './nginx-route.ts'
import { commitOf, type ReleasePolicy, type SwitchedJobs } from './policy.ts'
import { type ProcessSteps, processSteps } from './processes/steps.ts'
import { pruneImages } from './prune-images.ts'
import { onceFile } from './replicas/once-file.ts'
import { replicaSteps } from './replicas/steps.ts'
import { stopsFirst } from './stops-first.ts'
import { filledVariables, variablesFile, variablesFunction } from './variables.ts'

const functions = shellFile(new URL('switch.sh', import.meta.url))

export interface Switch {
  readonly instance: BotInstance
  readonly spec: Spec
  /** The colour of the new container. */
  readonly colour: Colour
  /** The release that serves until then. */
  readonly old: Release | undefined
  /** Whether the container of the old release exists. */
  readonly oldContainerExists: boolean
  readonly policy: ReleasePolicy
  readonly limits: Limits
  /** The names of the secrets whose checksums are recorded. */
  readonly secrets: readonly string[]
  readonly jobs?: SwitchedJobs | undefined
  /** The names of the containers of the bot's processes that are on the host. */
  readonly processes?: readonly string[]
}

/**
 * Shell text: switches to a new version. Until the new version is recorded, any failure leaves the old one serving, or starts
 * it again. So does a boot: the old container has the restart policy `always`, the new one gets it as late as possible. After an
 * interruption the next run removes the container that does not serve.
 */
export function switchScript(change: Switch): Script {
  const { instance, spec, colour, old, oldContainerExists: oldRuns, policy, limits, secrets, jobs } = change
  const { bot } = instance
  const layout = layoutOf(bot)
  const { text, file, name } = serviceFile(instance, colour, spec, limits)
  const steps = stepsOf(change)
  const replicas = replicaSteps(instance, spec, old?.spec, limits, policy.settle)
  const polls = spec.mode === 'polling'
  const setsItself = spec.webhook === 'bot'
  const oneWriter = writesAlone(spec, old?.spec)
  const bind = sh`docker update --restart always "$new" >/dev/null`
  const stop = oldRuns ? sh`stopped=yes; docker stop --time 20 "$old_container" >/dev/null` : sh`:`
  const nothing = sh`:`
  const after = { spec, colour, ...formerOf(spec, old) }
  const script = sh`
    ${lines(imagesIn(spec).map((image) => refuseVolumesScript(bot, spec, image)))}
    # An image that lacks a folder is refused before anything is stopped.
    ${extractScript(bot, instance.number, spec)}
    new=${name} old_container=${old === undefined || !oldRuns ? '' : layout.container(old.colour)} switched='' stopped='' webhook_deleted=''
    ${healthFunctions(instance, colour, spec)}
    state=${layout.state} secrets=${layout.secrets}
    ${keepLogFunctions(bot)}
    ${functions}
    ${routeFunctions(instance, after, old)}
    ${steps.functions}
    ${replicas.functions}
    ${variablesFunction(instance, colour, spec)}
    ${setsItself || old?.spec.mode === 'webhook' ? deliveryFunctions(bot, instance.telegram, spec) : nothing}
    ${replicas.refuse}
    ${revertFunction(change, replicas.back)}
    mkdir -p ${layout.compose}
    (umask 077; mkdir -p "$state")
    # The route of an interrupted switch is reverted before its container is removed.
    ${old && isRouted(old.spec) ? sh`route_is_restored || route_restore` : nothing}
    remove_containers "$new"
    # tee, here and below, names the file on a full disk; the printf of the shell says only "I/O error".
    printf %s ${Buffer.from(text).toString('base64')} | base64 -d | tee ${`${file}.new`} >/dev/null
    mv -fT ${`${file}.new`} ${file}
    ${steps.begin}
    trap revert_switch EXIT
    # A reboot sends TERM. Without a trap for it sh would not run the one of EXIT.
    trap 'exit 143' TERM
    # Of the releases side by side only some migrate and start at a time: that needs a processor, the rest is waiting.
    exec 7>>${`${runDir}/start-${instance.number % policy.startsAtOnce}.lock`}
    flock 7
    ${jobs?.begin ?? nothing}
    dump='' copy=''
    ${oneWriter ? lines([copyFunctions(bot), sh`room_for_copy`]) : nothing}
    ${policy.migrates ? migrationDump(bot, spec, old) : nothing}
    # The old version must not write to data that is copied, migrated and given to the new one.
    ${oneWriter ? lines([stop, steps.stop, sh`copy_data`]) : nothing}
    ${policy.migrates ? migration(change) : nothing}
    # An earlier botgarden may have created the old container with another policy.
    [ -z "$old_container" ] || docker update --restart always "$old_container" >/dev/null
    ${stopsFirst(spec, old?.spec) && !oneWriter ? stop : nothing}
    ${oneWriter ? nothing : steps.stop}
    # As long as a webhook is set, Telegram answers getUpdates with an error.
    ${polls ? sh`webhook_deleted=yes; ${deleteWebhook(policy.hook)}` : nothing}
    # The mark is of a webhook that we have set.
    ${setsItself ? sh`webhook_deleted=yes; rm -f "$state/webhook"` : nothing}
    ${replicas.network}
    with_variables docker compose -f ${file} up --detach --no-build --pull never --quiet-pull 2>&1 || { report_holder; exit 1; }
    ${steps.start}
    ${replicas.up}
    # Nothing is delivered to the old container any more: from here on a boot must start the new one.
    ${polls && old?.spec.mode === 'webhook' ? bind : nothing}
    await_health
    ${steps.ready}
    exec 7>&-
    ${setsItself ? nothing : sh`${steps.settle} ${policy.settle}`}
    # Before the route is switched: a boot then starts both, and the one that nginx routes to answers.
    ${polls ? nothing : oneWriter ? lines([bind, steps.bindAlone, oldAtBoot('no'), steps.oldNotAtBoot]) : lines([bind, steps.bindBeside])}
    ${isRouted(spec) || (old && isRouted(old.spec)) ? sh`switched=yes; route_switch` : nothing}
    ${setsItself ? ownWebhook(policy.hook, spec, sh`${steps.settle} ${policy.settle}`) : spec.mode === 'webhook' ? deliveryCheck(old?.spec) : nothing}
    ${recordCall({ ...after, by: policy.by, ...commitOf(policy), limits }, secrets)}
    # From here on the new version is the serving one: what fails now, the next run finishes.
    trap - EXIT
    [ -z "$passed" ] || : >"$passed"
    # Up to here a boot starts only the old one of two polling versions, which would take updates from each other. A boot
    # between these two lines starts both, which is better than none; the next run removes one.
    ${polls ? bind : nothing}
    ${steps.bindAlone}
    ${oldAtBoot('no')}
    ${steps.oldNotAtBoot}
    ${jobs?.end ?? nothing}
    ${old === undefined ? nothing : retireCall(instance, old, policy)}
    ${replicas.remove}
    ${steps.retire}
    ${pruneScript(bot, after, old)}
    ${pruneImages(bot, [...imagesIn(spec), ...(old === undefined ? [] : imagesIn(old.spec))], policy.keep)}`
  return { text: script.text, shown: `switch ${bot} to ${spec.image}` }
}

function stepsOf(change: Switch): ProcessSteps {
  const { spec, old, policy, processes = [] } = change
  return processSteps({ ...change, processes, oneWriter: writesAlone(spec, old?.spec), drain: policy.drain })
}

/** Shell text: whether a boot starts the old container. */
function oldAtBoot(restart: 'always' | 'no'): Script {
  return sh`[ -z "$old_container" ] || docker update --restart ${restart} "$old_container" >/dev/null`
}

/** The shell function that reverts the switch: the old version serves again. */
function revertFunction(change: Switch, replicasBack: Script): Script {
  const { instance, spec, colour, old, policy } = change
  const steps = stepsOf(change)
  const oneWriter = writesAlone(spec, old?.spec)
  const putBack = oneWriter ? sh`[ -z "$copy" ] || put_back_data` : sh`:`
  // The webhook that was deleted for a polling version, or set by the new one. Its mark is gone, so the next run checks it in any
  // case. An old version that sets its own does so when it starts.
  const again =
    old === undefined || old.spec.webhook === 'bot'
      ? sh`:`
      : old.spec.mode === 'webhook'
        ? restoreWebhook(policy.hook, old.spec)
        : spec.webhook === 'bot'
          ? deleteWebhook(policy.hook)
          : sh`:`
  // Where it stays it keeps the data as well.
  const stays =
    spec.mode !== 'polling'
      ? lines([oneWriter ? sh`stopped=''` : sh`:`, steps.newStays])
      : lines([sh`remove_containers "$new"`, steps.removeNew, putBack])
  const hasFile = filledVariables(instance, colour, spec).secret.length > 0
  return sh`revert_switch() {
      trap - EXIT
      ${hasFile ? sh`rm -f ${variablesFile(instance.bot, colour)}` : sh`:`}
      docker container inspect "$new" >/dev/null 2>&1 && ${steps.report}
      # If nginx still routes to the old container, the new one can go even if the disk is full.
      if [ -z "$switched" ] || route_is_restored || route_restore; then
        remove_containers "$new"
        ${steps.removeNew}
        ${replicasBack}
        ${putBack}
      else
        echo 'nginx could not be reverted and may still route to the new version: run site.ts'
        ${stays}
      fi
      ${oneWriter ? sh`[ -z "$stopped" ] || ${oldAtBoot('always')} || :` : sh`:`}
      [ -z "$webhook_deleted" ] || { ${again}
      }
      [ -z "$stopped" ] || docker start "$old_container" >/dev/null || echo "the old container does not start: run bot.ts again"
      ${steps.startOld}
      [ -z "$old_container" ] || echo ${`the previous version is still serving: ${old?.spec.image ?? ''}`}
      [ -z "$words" ] || report_log
      exit 1
    }`
}

/** Dumps the database before changed migrations run. The newest three dumps are kept. */
export function migrationDump(bot: string, spec: Spec, old: Release | undefined): Script {
  if (old === undefined || !spec.database || spec.migrate === undefined || spec.migrations === old.spec.migrations)
    return sh`:`
  return sh`
    ${dumpFunction}
    take_dump ${databaseName(bot)} ${`${dumpsFolder}/${bot}`} '' 3
    dump=$taken
    echo "the migrations changed: a dump of the database from before them is in $dump"`
}

export function migration({ instance, spec, old, colour, limits }: Switch): Script {
  if (spec.migrate === undefined) return sh`:`
  const isReplicated = spec.replicas !== undefined
  const { file, name, text } = (isReplicated ? onceFile : serviceFile)(instance, colour, spec, limits)
  const written = sh`printf %s ${Buffer.from(text).toString('base64')} | base64 -d | tee ${file} >/dev/null`
  const container = `botgarden-${instance.bot}-migrate`
  // It has written to the data, and the old version was stopped for that.
  const reverts = writesAlone(spec, old?.spec)
  const failed = `the migration failed${reverts ? '' : '; nothing else was changed, and the previous version is still serving'}`
  return sh`
    ${isReplicated ? written : sh`:`}
    docker rm -f --volumes ${container} >/dev/null 2>&1 || :
    with_variables docker compose -f ${file} run --rm --no-deps -T --name ${container} ${name} ${spec.migrate} </dev/null 2>&1 || {
      ${reverts ? sh`:` : sh`trap - EXIT`}
      docker rm -f --volumes ${container} >/dev/null 2>&1 || :
      # The migration runs at the address of the new version.
      report_holder
      echo ${failed}
      exit 1
    }`
}

export function recordCall(
  release: Pick<Release, 'spec' | 'colour' | 'by' | 'commit' | 'limits' | 'former'>,
  secrets: readonly string[],
): Script {
  const tag = release.spec.image.replace(/^.*[:@]/, '').slice(-12)
  return sh`record_release ${tag} ${JSON.stringify(release).slice(1, -1)} ${secrets}`
}

function retireCall({ bot, base, number }: BotInstance, { colour }: Release, { drain }: ReleasePolicy): Script {
  return sh`retire ${layoutOf(bot).container(colour)} ${addressOf(base, number, colour)} ${drain}`
}
