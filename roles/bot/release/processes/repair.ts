import { becomes, type Change, type Outputs, type Prediction } from '../../../../lib/model/resource.ts'
import type { ContainerState } from '../../../../lib/resources/container.ts'
import { lines, type Script, sh } from '../../../../lib/shell/sh.ts'
import type { BotInstance } from '../../spec/instance.ts'
import { type Colour, layoutOf } from '../../spec/layout.ts'
import { type Limits, limitsOfProcess } from '../../spec/limits.ts'
import { processContainer } from '../../spec/processes.ts'
import type { Release } from '../../spec/release-record.ts'
import type { Spec } from '../../spec/spec.ts'
import type { StoredSecrets } from '../../spec/stored-secrets.ts'
import { healthFunctions } from '../health-check.ts'
import { keepLogFunctions } from '../logs/kept-log.ts'
import { restartReason, restartWarning } from '../restarts.ts'
import { variablesFunction } from '../variables.ts'
import { type ProcessService, processesFile } from './compose-file.ts'
import { processFunctions } from './functions.ts'
import { type ProcessStates, processStates } from './states.ts'
import { atBoot, composeUp, writeFile } from './steps.ts'

/** Has the processes of a recorded version run as recorded, and no others. */
export function processRepair(
  instance: BotInstance,
  current: Release,
  limits: Limits,
  { processes: there = {}, kept }: { readonly processes: ProcessStates; readonly kept: StoredSecrets },
): readonly Change[] {
  const { services = [] } = processesFile(instance, current.colour, current.spec, limits) ?? {}
  const idle = Object.keys(there).filter((name) => services.every(({ container }) => container !== name))
  const faults = services.flatMap((service) => {
    const state = there[service.container] ?? 'absent'
    const reason = restartReason(state, service.checksum, kept) ?? lostNetwork(instance, current.spec, state)
    return reason === undefined ? [] : [{ service, reason }]
  })
  const unbound = services.filter(({ container }) => there[container]?.restart !== 'always')
  if (idle.length + faults.length + unbound.length === 0) return []
  const restarted = faults.map(({ service }) => service)
  const summary =
    faults.length > 0
      ? faults.map(({ service, reason }) => `restart the process ${service.name}, since ${reason}`).join('; ')
      : idle.length > 0
        ? `remove what is no process of its release: ${idle.join(', ')}`
        : 'set the restart policy of its processes to always'
  return [
    {
      summary,
      script: repairScript(instance, current, limits, { idle, restarted, unbound }),
      long: true,
      predicts: processesRunning(instance, current.colour, current.spec, limits, there),
    },
  ]
}

/** Shell text: starts all processes of a version again; undefined where it has none. */
export function restartProcesses(instance: BotInstance, current: Release, limits: Limits): Script | undefined {
  const { services = [] } = processesFile(instance, current.colour, current.spec, limits) ?? {}
  if (services.length === 0) return undefined
  return repairScript(instance, current, limits, { idle: [], restarted: services, unbound: [] })
}

/** Predicts that the processes of a version run, and no others. */
export function processesRunning(
  instance: BotInstance,
  colour: Colour,
  spec: Spec,
  limits: Limits,
  before: ProcessStates,
): readonly Prediction[] {
  const { services = [] } = processesFile(instance, colour, spec, limits) ?? {}
  const running = services.map(({ name, container, checksum }) => [
    container,
    { status: 'running', health: '', config: checksum, restart: 'always', ...limitsOfProcess(limits, name) },
  ])
  if (running.length === 0) return before === undefined ? [] : [becomes(processStates(instance.bot), undefined)]
  return [becomes(processStates(instance.bot), Object.fromEntries(running) as ProcessStates)]
}

/** Outputs of a run: processes of the release that do not run, or that have ended by themselves. */
export function processWarnings(bot: string, { spec, colour }: Release, there: ProcessStates = {}): Outputs {
  const outputs = Object.keys(spec.processes ?? {}).map((name): Outputs => {
    const state = there[processContainer(bot, name, colour)] ?? 'absent'
    if (state !== 'absent' && state.status === 'running') return restartWarning(bot, state, name)
    const what = state === 'absent' ? 'its container is gone' : `its container is ${state.status}`
    return { [`${bot}.${name} is down`]: `${what}: see npx zx playbooks/bot.ts --name ${bot} --logs` }
  })
  return Object.assign({}, ...outputs)
}

/** A hand may have disconnected it; the engine connects a container that is made anew. */
function lostNetwork({ bot }: BotInstance, { tcp }: Spec, state: ContainerState): string | undefined {
  if (state === 'absent' || state.networks === undefined) return undefined
  const { network, databaseNetwork } = layoutOf(bot)
  const lost = [network, ...(tcp ? [databaseNetwork] : [])].find((each) => state.networks?.[each] === undefined)
  return lost === undefined ? undefined : `it is not on the network ${lost}`
}

interface Repair {
  /** Containers that are no process of the release. */
  readonly idle: readonly string[]
  readonly restarted: readonly ProcessService[]
  readonly unbound: readonly ProcessService[]
}

/** Those that are no process of the release go first: two of one name must not run at the same time. */
function repairScript(
  instance: BotInstance,
  { colour, spec }: Release,
  limits: Limits,
  { idle, restarted, unbound }: Repair,
): Script {
  const { bot } = instance
  const layout = layoutOf(bot)
  const file = processesFile(instance, colour, spec, limits)
  const containers = restarted.map(({ container }) => container)
  const bound = [...new Set([...containers, ...unbound.map(({ container }) => container)])]
  const stop = (names: readonly string[]) => sh`
    docker stop --time 20 ${names} >/dev/null 2>&1 || :
    remove_containers ${names}`
  const again =
    file === undefined || restarted.length === 0
      ? sh`:`
      : sh`
    ${lines([...new Set(restarted.map(({ image }) => image))].map((image) => imageThere(bot, image)))}
    ${stop(containers)}
    ${composeUp(
      file.file,
      restarted.map(({ name }) => name),
    )} || { each_process as_process report_holder; exit 1; }`
  const { text } = sh`
    new=${layout.container(colour)} state=${layout.state}
    mkdir -p ${layout.compose}
    ${keepLogFunctions(bot)}
    ${healthFunctions(instance, colour, spec)}
    ${restarted.length > 0 ? variablesFunction(instance, colour, spec) : sh`:`}
    ${processFunctions(restarted)}
    ${idle.length > 0 ? stop(idle) : sh`:`}
    ${file === undefined ? sh`rm -f "$state/processes"` : writeFile(file)}
    ${again}
    ${atBoot('always', bound)}
    ${restarted.length > 0 ? sh`await_processes || { report_failed; report_log; exit 1; }` : sh`:`}`
  return { text, shown: restarted.length > 0 ? `docker compose -f ${file?.file} up` : `docker rm -f ${idle.join(' ')}` }
}

function imageThere(bot: string, image: string): Script {
  return sh`
    docker image inspect -- ${image} >/dev/null || {
      echo ${`the image ${image} of ${bot} is no longer on this host: deploy it again: npx zx playbooks/bot.ts --name ${bot}`}
      exit 1
    }`
}
