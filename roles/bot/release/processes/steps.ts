import { lines, type Script, sh } from '../../../../lib/shell/sh.ts'
import type { BotInstance } from '../../spec/instance.ts'
import type { Colour } from '../../spec/layout.ts'
import type { Limits } from '../../spec/limits.ts'
import { processAddress } from '../../spec/processes.ts'
import type { Release } from '../../spec/release-record.ts'
import type { Spec } from '../../spec/spec.ts'
import { processesFile } from './compose-file.ts'
import { containersOf, processFunctions } from './functions.ts'
import { listProcesses, processOf } from './states.ts'

/** What a switch does about the processes of a bot, as shell texts for their places in its script. */
export interface ProcessSteps {
  readonly functions: Script
  /** Removes what an interrupted switch has left of the new version, and writes its compose file. */
  readonly begin: Script
  /** Stops those of the old version that must not run beside the new one. */
  readonly stop: Script
  readonly start: Script
  readonly ready: Script
  /** The name of the shell function that waits until all have stayed up. */
  readonly settle: Script
  /** Has a boot start the new ones that run beside the old ones; and those that do not. */
  readonly bindBeside: Script
  readonly bindAlone: Script
  readonly oldNotAtBoot: Script
  /** Shell text that prints the state and the log of what failed. */
  readonly report: Script
  readonly removeNew: Script
  /** Where nginx may still route to the new version: it stays, but for what runs alone. */
  readonly newStays: Script
  readonly startOld: Script
  /** Stops and removes the processes of the old version. */
  readonly retire: Script
}

/** A switch, as the processes need to know it. */
export interface ProcessSwitch {
  readonly instance: BotInstance
  readonly spec: Spec
  readonly colour: Colour
  readonly old: Release | undefined
  readonly limits: Limits
  /** The names of the containers of the bot's processes that are on the host. */
  readonly processes: readonly string[]
  /** Only one version may write to the data of the bot. */
  readonly oneWriter: boolean
  /** Seconds that an old process with connections has to finish. */
  readonly drain: number
}

export function processSteps(change: ProcessSwitch): ProcessSteps {
  const { instance, spec, colour, old, limits, processes, oneWriter } = change
  const { bot } = instance
  const file = processesFile(instance, colour, spec, limits)
  if (file === undefined && old?.spec.processes === undefined && processes.length === 0) return none
  const services = file?.services ?? []
  const alone = services.filter(({ name }) => runsAlone(change, name))
  const before = processes.filter((container) => old !== undefined && processOf(bot, container)?.colour === old.colour)
  const stopped = before.filter((container) => runsAlone(change, processOf(bot, container)?.name ?? ''))
  const removeNew = sh`${listProcesses(bot, old === undefined ? '(blue|green)' : colour)} | remove_processes`
  return {
    functions: sh`
    ${each(stopped, () => sh`stopped_processes=''`)}
    ${processFunctions(services)}`,
    begin: sh`
    ${removeNew}
    ${file === undefined ? sh`:` : writeFile(file)}`,
    stop: each(stopped, (names) => sh`stopped_processes=yes; docker stop --time 20 ${names} >/dev/null`),
    start:
      file === undefined
        ? sh`:`
        : sh`${composeUp(file.file)} || { each_process as_process report_holder; all_running || :; exit 1; }`,
    ready: sh`await_processes`,
    settle: file === undefined ? sh`settle` : sh`settle_all`,
    bindBeside: atBoot('always', containersOf(services.filter((service) => !alone.includes(service)))),
    bindAlone: atBoot('always', containersOf(alone)),
    oldNotAtBoot: each(before, (names) => sh`${atBoot('no', names)} || :`),
    report: sh`report_failed`,
    removeNew: sh`
      ${removeNew}
      ${old?.spec.processes === undefined ? sh`rm -f "$state/processes"` : sh`:`}`,
    newStays: oneWriter
      ? each(stopped, () => sh`stopped_processes=''`)
      : each(containersOf(alone), (names) => sh`remove_containers ${names}`),
    startOld: each(
      stopped,
      (names) => sh`[ -z "$stopped_processes" ] || {
        ${oneWriter ? sh`${atBoot('always', names)} || :` : sh`:`}
        docker start ${names} >/dev/null || echo 'the old processes do not start: run bot.ts again'
      }`,
    ),
    retire: retireScript(
      change,
      before.filter((container) => !stopped.includes(container)),
      file === undefined,
    ),
  }
}

/** Shell text: writes the compose file of the processes, after the mark that there may be some. */
export function writeFile({ text, file }: { readonly text: string; readonly file: string }): Script {
  return sh`
    : >"$state/processes"
    printf %s ${Buffer.from(text).toString('base64')} | base64 -d | tee ${`${file}.new`} >/dev/null
    mv -fT ${`${file}.new`} ${file}`
}

/** Shell text: creates and starts what a compose file has, or these services of it. */
export function composeUp(file: string, services: readonly string[] = []): Script {
  return sh`with_variables docker compose -f ${file} up --detach --no-build --pull never --quiet-pull ${services} 2>&1`
}

/** Shell text: whether a boot starts these containers. */
export function atBoot(restart: 'always' | 'no', containers: readonly string[]): Script {
  return each(containers, (names) => sh`docker update --restart ${restart} ${names} >/dev/null`)
}

function each(names: readonly string[], make: (names: readonly string[]) => Script): Script {
  return names.length === 0 ? sh`:` : make(names)
}

/**
 * Whether the old process of this name must stop before the new version starts: one that is to be single in either version, and
 * all of a bot that polls, or whose data has one writer.
 */
function runsAlone({ spec, old, oneWriter }: ProcessSwitch, name: string): boolean {
  const versions = [spec, ...(old === undefined ? [] : [old.spec])]
  return oneWriter || versions.some(({ mode, processes }) => mode === 'polling' || processes?.[name]?.single === true)
}

/** One that listens ends when its connections have, as the bot does. */
function retireScript({ instance, old, drain }: ProcessSwitch, running: readonly string[], last: boolean): Script {
  const { bot } = instance
  const one = (container: string) => {
    const { name = '' } = processOf(bot, container) ?? {}
    const { port } = old?.spec.processes?.[name] ?? {}
    if (old === undefined || port === undefined) return sh`docker stop --time 20 ${container} >/dev/null 2>&1 &`
    return sh`retire ${container} ${processAddress(instance, old.spec, name, old.colour)} ${drain} &`
  }
  return sh`
    ${lines(running.map(one))}
    wait
    ${old === undefined ? sh`:` : sh`${listProcesses(bot, old.colour)} | remove_processes`}
    ${last ? sh`rm -f "$state/processes"` : sh`:`}`
}

const nothing = sh`:`

/** Of a bot that has none, and had none. */
const none: ProcessSteps = {
  ...{ functions: nothing, begin: nothing, stop: nothing, start: nothing, ready: nothing, settle: sh`settle` },
  ...{ bindBeside: nothing, bindAlone: nothing, oldNotAtBoot: nothing, report: sh`report "$new"`, removeNew: nothing },
  ...{ newStays: nothing, startOld: nothing, retire: nothing },
}
