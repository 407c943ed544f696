import type { Reading } from '../../../lib/model/reading.ts'
import { becomes, type Change, type Prediction, type Resource, resource } from '../../../lib/model/resource.ts'
import { nginxFolder } from '../../../lib/platform/nginx.ts'
import { postgresCatalog } from '../../../lib/platform/postgres-catalog.ts'
import { containerState } from '../../../lib/resources/container.ts'
import { type FileState, fileState } from '../../../lib/resources/file-state.ts'
import { type ImageState, imageState } from '../../../lib/resources/image.ts'
import { HostError } from '../../../lib/std/errors.ts'
import { dataState, lostData } from '../data/folders.ts'
import { writesAlone } from '../data/layout.ts'
import { formerOf } from '../public/layout.ts'
import { staticAfter, staticState } from '../public/static-files.ts'
import { allocations } from '../spec/allocations.ts'
import type { BotInstance } from '../spec/instance.ts'
import { type Colour, layoutOf, otherColour } from '../spec/layout.ts'
import { imagesIn } from '../spec/processes.ts'
import { currentRelease, differencesOf, parseRelease, type Release } from '../spec/release-record.ts'
import type { Spec } from '../spec/spec.ts'
import { storedSecrets } from '../spec/stored-secrets.ts'
import { webhookCleared } from '../telegram/webhook-state.ts'
import { serviceFile } from './compose-file.ts'
import { freeCapacity } from './free-capacity.ts'
import { refuseVolumes, volumeWarning } from './image-volumes.ts'
import { locationFile, predictedFiles } from './nginx-route.ts'
import { commitOf, type ReleasePolicy } from './policy.ts'
import { processesRunning, processRepair, processWarnings } from './processes/repair.ts'
import { processStates } from './processes/states.ts'
import { recordEvidence, releaseFromContainer } from './repair-record.ts'
import { repairOfReplicas, replicasAfter, rolls } from './replicas/plan.ts'
import { rollScript } from './replicas/roll-script.ts'
import { routerLimits } from './replicas/router.ts'
import { type ReplicasState, replicasOutput, replicasState } from './replicas/state.ts'
import { restartScript } from './restart-script.ts'
import { restartReason, restartWarning } from './restarts.ts'
import { neededMB, refuseInsufficientCapacity } from './room.ts'
import { roomFor } from './side-by-side.ts'
import { type Switch, switchScript } from './switch-script.ts'

type Readings = ReturnType<typeof readingsOf>
type State = { readonly [K in keyof Readings]: Readings[K] extends Reading<infer S> ? S : never } & {
  /** Left out where the swarm is not asked. */
  readonly swarm?: ReplicasState | undefined
}

/**
 * The version of a bot that serves. With a target it is released without downtime, if it differs from what serves. Without
 * one nothing is released: the recorded version is started again where it does not run as recorded. The plan throws a
 * `HostError` where the host has no image, no allocation, or too little memory or disk.
 */
export function release(
  instance: Omit<BotInstance, 'number'>,
  target: Spec | undefined,
  policy: ReleasePolicy,
  /** It has replicas, or is to have some: only then is the swarm asked for them. */
  isReplicated = false,
): Resource {
  const { bot } = instance
  const swarm = isReplicated ? replicasState(bot) : undefined
  const readings = { ...readingsOf(bot, target), ...(swarm && { swarm }) }
  return {
    ...resource({
      id: `release:${bot}`,
      wants: { target },
      reads: readings,
      plan: (state: State) => {
        const current = parseRelease(state.current)
        const spec = target ?? current?.spec
        if (spec === undefined) return []
        const number = state.taken[bot]
        if (number === undefined) throw new HostError(`bot ${bot} has no allocation on this host`)
        const version: Version = { instance: { ...instance, number }, spec, policy, current, state }
        const differences = target === undefined ? [] : differencesOf(current, spec, secretsIn(spec, state))
        if (differences.length > 0) return [switchChange(version, differences)]
        // Its container would be started without its data. What is gone is told by the data itself.
        if (current === undefined || lostData(current, state.data).length > 0) return []
        return repairChanges(version, current)
      },
    }),
    outputs: (read) => {
      const current = parseRelease(read(readings.current))
      if (current === undefined) return {}
      const container = read(readings[current.colour])
      return {
        ...volumeWarning(bot, container),
        ...restartWarning(bot, container),
        ...processWarnings(bot, current, read(readings.processes)),
        ...(swarm && current.spec.replicas && replicasOutput(bot, current.spec.replicas, read(swarm))),
      }
    },
  }
}

type SecretKey = `secret ${string}`
type ImageKey = `image ${string}`

function imageKey(image: string): ImageKey {
  return `image ${image}`
}

function keyOf(name: string): SecretKey {
  return `secret ${name}`
}

function readingsOf(bot: string, target: Spec | undefined) {
  const layout = layoutOf(bot)
  const secrets: Readonly<Record<SecretKey, Reading<FileState>>> = Object.fromEntries(
    ['token', ...(target?.secrets ?? [])].map((name) => [keyOf(name), fileState(`${layout.secrets}/${name}`)]),
  )
  const images: Readonly<Record<ImageKey, Reading<ImageState>>> = Object.fromEntries(
    (target === undefined ? [] : imagesIn(target)).map((image) => [imageKey(image), imageState(image)]),
  )
  const others = {
    current: currentRelease(bot),
    taken: allocations,
    blue: containerState(layout.container('blue')),
    green: containerState(layout.container('green')),
    processes: processStates(bot),
    free: freeCapacity,
    catalog: postgresCatalog,
    found: recordEvidence(bot),
    kept: storedSecrets(bot),
    data: dataState(bot),
    location: fileState(`${nginxFolder}/conf/${locationFile(bot)}`),
  }
  return { ...others, ...secrets, ...images } as typeof others & typeof secrets & typeof images
}

/** What a change of the release is planned from. */
interface Version {
  readonly instance: BotInstance
  readonly spec: Spec
  readonly policy: ReleasePolicy
  readonly current: Release | undefined
  readonly state: State
}

/** Switches to the version, from the one that serves. */
function switchChange(version: Version, differences: readonly string[]): Change {
  const { instance, spec, policy, current, state } = version
  const { bot } = instance
  for (const image of imagesIn(spec)) {
    const held = state[imageKey(image)] ?? 'absent'
    if (held === 'absent') throw new HostError(`the image ${image} is not on this host`)
    refuseVolumes(bot, spec, held.volumes ?? [])
  }
  const old = current ?? releaseFromContainer(bot, spec, state.current, state.found, Object.keys(state.processes ?? {}))
  const rolling = current && rolls(instance, spec, current, state[current.colour])
  const colour: Colour = rolling ? current.colour : old?.colour === 'blue' ? 'green' : 'blue'
  const oldContainerExists = old !== undefined && state[old.colour] !== 'absent'
  const limits = policy.limits(current)
  refuseInsufficientCapacity(bot, spec, limits, oldContainerExists, current?.spec, state.free)
  const needed = neededMB(spec, limits, oldContainerExists, current?.spec)
  const secrets = Object.keys(secretsIn(spec, state))
  const stops = oldContainerExists && writesAlone(spec, old?.spec) ? stopFirst : ''
  const former = formerOf(spec, old)
  const jobs = policy.jobs?.({ instance, spec, colour, limits }, old?.spec)
  const processes = Object.keys(state.processes ?? {})
  const change: Switch = { instance, spec, colour, old, oldContainerExists, policy, limits, secrets, processes, jobs }
  return {
    summary: `release ${spec.image}${current === undefined ? '' : `: ${differences.join(', ')}`}${stops}`,
    diff: () => `${old?.spec.image ?? 'nothing'} → ${spec.image}`,
    script: rolling ? rollScript({ ...change, old: current }) : switchScript(change),
    long: true,
    atOnce: roomFor(needed, state.free, spec.database ? state.catalog : undefined, policy.bots, spec.connections),
    ...(jobs && { validation: jobs.validation }),
    predicts: [
      ...predictions(version, { colour, ...former }),
      ...(spec.public || old?.spec.public ? [becomes(staticState(bot), staticAfter({ spec, ...former }))] : []),
      ...(jobs?.predicts ?? []),
      ...(spec.mode === 'polling' || spec.webhook === 'bot' ? [webhookCleared(policy.hook)] : []),
      ...(oldContainerExists ? [] : [becomes(freeCapacity, (now) => ({ ...now, newMB: (now.newMB ?? 0) + needed }))]),
    ],
  }
}

const stopFirst = '; stops the version before it, since one alone may write to the data, and copies that'

/** Has the recorded version serve as recorded, and nothing beside it. */
function repairChanges(version: Version, current: Release): readonly Change[] {
  const { instance, spec, policy, state } = version
  const limits = policy.limits(current)
  const { checksum } = serviceFile(instance, current.colour, spec, limits)
  const serving = state[current.colour]
  const reason = restartReason(serving, checksum, state.kept)
  const noIdle = state[otherColour(current.colour)] === 'absent'
  const startsAtBoot = serving !== 'absent' && serving.restart === 'always'
  const ofProcesses = processRepair(instance, current, limits, state)
  const ofReplicas = repairOfReplicas(instance, current, policy, state.swarm)
  if (reason === undefined && noIdle && startsAtBoot) return [...ofProcesses, ...ofReplicas]
  const repair = noIdle ? 'set the restart policy to always' : 'clean up after an interrupted release'
  return [
    {
      summary: reason === undefined ? repair : `restart, since ${reason}`,
      script: restartScript(instance, current, limits, { start: reason !== undefined, bind: !startsAtBoot }),
      long: true,
      predicts: predictions(version, current),
    },
    ...ofProcesses,
    ...ofReplicas,
  ]
}

function predictions(
  { instance, spec, policy, current, state }: Version,
  { colour, former }: Pick<Release, 'colour' | 'former'>,
): readonly Prediction[] {
  const layout = layoutOf(instance.bot)
  const limits = policy.limits(current)
  const recorded = {
    id: 'new',
    spec,
    colour,
    secrets: secretsIn(spec, state),
    by: policy.by,
    ...commitOf(policy),
    limits,
  }
  const after: Release = { ...recorded, ...(former && { former }) }
  const { checksum } = serviceFile(instance, colour, spec, limits)
  const running = {
    status: 'running',
    health: '',
    config: checksum,
    restart: 'always',
    ...(spec.replicas === undefined ? { memoryMB: limits.memoryMB, cpus: limits.cpus } : routerLimits),
  }
  return [
    becomes(currentRelease(instance.bot), JSON.stringify(after)),
    becomes(containerState(layout.container(colour)), running),
    becomes(containerState(layout.container(otherColour(colour))), 'absent' as const),
    ...processesRunning(instance, colour, spec, limits, state.processes),
    ...predictedFiles(instance, after, current),
    ...('swarm' in state ? replicasAfter(instance, spec, policy, limits) : []),
  ]
}

/** SHA-256 by name of each secret that was read on the host for the version. */
function secretsIn({ mode, secrets }: Spec, state: State): Record<string, string> {
  const names = [...(mode === 'none' ? [] : ['token']), ...secrets].filter((name) => keyOf(name) in state)
  return Object.fromEntries(names.map((name) => [name, checksumIn(state[keyOf(name)] ?? 'absent')]))
}

function checksumIn(state: FileState): string {
  return (state !== 'absent' && state.sha256) || ''
}
