import { isDeepStrictEqual } from 'node:util'
import { becomes, type Change, type Prediction, type Resource, resource } from '../../../lib/model/resource.ts'
import { nginxFolder } from '../../../lib/platform/nginx.ts'
import { type ContainerState, containerState } from '../../../lib/resources/container.ts'
import { type FileState, fileState, textOf } from '../../../lib/resources/file-state.ts'
import { imageState } from '../../../lib/resources/image.ts'
import { HostError } from '../../../lib/std/errors.ts'
import { sha256Of } from '../../../lib/std/sha256.ts'
import { allocations } from '../spec/allocations.ts'
import { addressOf, type Colour, otherColour, placesOf } from '../spec/layout.ts'
import { currentRelease, parseRelease, type Release } from '../spec/release-record.ts'
import type { Limits, Spec } from '../spec/spec.ts'
import { hostMade, keptSecrets, type StoredSecrets } from '../spec/stored-secrets.ts'
import { webhookCleared } from '../telegram/webhook-state.ts'
import { type BotInstance, serviceFile } from './compose-file.ts'
import { type FreeCapacity, freeCapacity } from './free-capacity.ts'
import { refuseVolumes, toldVolumes } from './image-volumes.ts'
import { locationFile, locationText } from './nginx-route.ts'
import type { ReleasePolicy } from './policy.ts'
import { type Found, foundOf, lackOf, servingOf } from './repair-record.ts'
import { startAgain } from './restart-script.ts'
import { type Switch, switchScript } from './switch-script.ts'

/**
 * The version that serves. With a target it is brought there without a gap; without one whatever serves goes on, and is
 * started where it does not run.
 */
export function release(seat: Omit<BotInstance, 'number'>, target: Spec | undefined, terms: ReleasePolicy): Resource {
  const { bot } = seat
  const places = placesOf(bot)
  const secretFiles = ['token', ...(target?.secrets ?? [])].map(
    (name) => [name, fileState(`${places.secrets}/${name}`)] as const,
  )
  const inner = resource({
    id: `release:${bot}`,
    wants: { target },
    reads: {
      current: currentRelease(bot),
      taken: allocations,
      blue: containerState(places.container('blue')),
      green: containerState(places.container('green')),
      image: imageState(target?.image ?? 'none'),
      free: freeCapacity,
      found: foundOf(bot),
      kept: keptSecrets(bot),
    },
    plan: () => [],
  })
  const location = fileState(`${nginxFolder}/conf/${locationFile(bot)}`)
  return {
    ...inner,
    reads: [...inner.reads, ...secretFiles.map(([, state]) => state), location],
    plan: (read): readonly Change[] => {
      const current = parseRelease(read(currentRelease(bot)))
      const spec = target ?? current?.spec
      if (spec === undefined) return []
      const number = read(allocations)[bot]
      if (number === undefined) throw new HostError(`bot ${bot} has no number on this host`)
      const whole: BotInstance = { ...seat, number }
      const limits = terms.limits(current)
      const containers = {
        blue: read(containerState(places.container('blue'))),
        green: read(containerState(places.container('green'))),
      }
      const secrets = Object.fromEntries(secretFiles.map(([name, state]) => [name, checksumIn(read(state))]))

      const predicted = (colour: Colour): Prediction[] => {
        const after: Release = { id: 'new', spec, colour, secrets, by: terms.by, limits }
        const { checksum } = serviceFile(whole, colour, spec, limits)
        const running = { status: 'running', health: '', config: checksum, restart: 'always', ...limits }
        return [
          becomes(currentRelease(bot), JSON.stringify(after)),
          becomes(containerState(places.container(colour)), running),
          becomes(containerState(places.container(otherColour(colour))), 'absent' as const),
          ...locationAfter(whole, colour, spec),
        ]
      }
      // Without a target nothing is released, whatever has changed since.
      const differences =
        target === undefined ? [] : current === undefined ? ['first'] : differencesOf(current, spec, secrets)
      if (differences.length > 0) {
        const image = read(imageState(spec.image))
        if (image === 'absent') throw new HostError(`there is no image ${spec.image} on this host`)
        refuseVolumes(bot, spec, image.volumes ?? [])
        const old = current ?? unrecorded(spec, read(currentRelease(bot)), read(foundOf(bot)))
        const colour: Colour = old?.colour === 'blue' ? 'green' : 'blue'
        const oldRuns = old !== undefined && containers[old.colour] !== 'absent'
        refuseInsufficientCapacity(bot, spec, limits, oldRuns, read(freeCapacity))
        const change: Switch = {
          seat: whole,
          spec,
          colour,
          old,
          oldContainerExists: oldRuns,
          terms,
          limits,
          secrets: Object.keys(secrets),
        }
        return [
          {
            summary:
              current === undefined ? `release ${spec.image}` : `release ${spec.image}: ${differences.join(', ')}`,
            diff: () => `${old?.spec.image ?? 'nothing'} → ${spec.image}`,
            script: switchScript(change),
            long: true,
            predicts: [...predicted(colour), ...(spec.mode === 'polling' ? [webhookCleared(terms.hook)] : [])],
          },
        ]
      }
      if (current === undefined) return []
      const { checksum } = serviceFile(whole, current.colour, spec, limits)
      const serving = containers[current.colour]
      const idle = containers[otherColour(current.colour)]
      const wrong = wrongWith(serving, checksum, read(keptSecrets(bot)))
      const bound = serving !== 'absent' && serving.restart === 'always'
      if (wrong === undefined && idle === 'absent' && bound) return []
      const left = idle === 'absent' ? 'have every boot start it' : 'finish what a cut release left'
      return [
        {
          summary: wrong === undefined ? left : `start again, since ${wrong}`,
          script: startAgain(whole, current, limits, { start: wrong !== undefined, bind: !bound }),
          long: true,
          predicts: predicted(current.colour),
        },
      ]
    },
    outputs: (read) => {
      const colour = parseRelease(read(currentRelease(bot)))?.colour
      return colour === undefined ? {} : toldVolumes(bot, read(containerState(places.container(colour))))
    },
  }
}

/** What serves where its record is not whole, or gone: as much of it as the switch must know. Of its migrations nobody knows. */
function unrecorded(spec: Spec, text: string | undefined, found: Found | undefined): Release | undefined {
  const serving = lackOf(text, found) === undefined ? undefined : servingOf(found)
  if (serving === undefined) return undefined
  const mode = serving.env.includes('BOT_MODE=polling') ? 'polling' : 'webhook'
  const before: Spec = { ...spec, image: serving.image, mode, migrations: undefined }
  return { id: '', spec: before, colour: serving.colour, secrets: {}, by: '' }
}

function wrongWith(container: ContainerState, checksum: string, kept: StoredSecrets): string | undefined {
  if (container === 'absent') return 'it is gone'
  if (container.status !== 'running') return `it is ${container.status}`
  const { stale = [], startedAt = Number.POSITIVE_INFINITY } = container
  if (stale.length > 0) return `${stale[0]} is not the folder that it has mounted`
  const renewed = hostMade.filter((name) => (kept[name] ?? 0) > startedAt)
  if (renewed.length > 0) return `${renewed.join(' and ')} ${renewed.length > 1 ? 'are' : 'is'} newer than it`
  return container.config === checksum ? undefined : 'it is not as its release says'
}

/** nginx's file of the bot is part of the switch. */
function locationAfter({ bot, base, number }: BotInstance, colour: Colour, spec: Spec): Prediction[] {
  const path = `${nginxFolder}/conf/${locationFile(bot)}`
  if (spec.mode === 'polling') return [becomes(fileState(path), 'absent' as const)]
  const text = locationText(bot, addressOf(base, number, colour), spec.port, spec.webhookPath)
  const sha256 = sha256Of(text)
  return [
    becomes(fileState(path), { type: 'file', mode: '0644', owner: 'root', group: 'root', sha256 }),
    becomes(textOf(path), text),
  ]
}

function differencesOf(current: Release, spec: Spec, secrets: Readonly<Record<string, string>>): string[] {
  const plain = (value: Spec) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>
  const [now, then] = [plain(current.spec), plain(spec)]
  const keys = [...new Set([...Object.keys(now), ...Object.keys(then)])].filter(
    (key) => !isDeepStrictEqual(now[key], then[key]),
  )
  const rotated = Object.keys(secrets).filter((name) => secrets[name] !== current.secrets[name])
  return [...keys, ...rotated.map((name) => `secret ${name}`)]
}

function checksumIn(state: FileState): string {
  return (state !== 'absent' && state.sha256) || ''
}

/** Two of a bot stand side by side for a moment; a polling one never. */
function refuseInsufficientCapacity(
  bot: string,
  { mode }: Spec,
  { memoryMB }: Limits,
  hasOld: boolean,
  free: FreeCapacity,
) {
  if (memoryMB > free.totalMB)
    throw new HostError(
      `bot ${bot} may take ${memoryMB} MB, and this host has ${free.totalMB} MB in all: give it less (memory)`,
    )
  // At its start a bot takes far less than it may: half of that is to be there.
  const needed = mode === 'polling' && hasOld ? 0 : memoryMB / 2
  if (free.memoryMB < needed)
    throw new HostError(
      `bot ${bot} may take ${memoryMB} MB, and ${free.memoryMB} MB are free${hasOld ? ' beside the version that serves' : ''}: give it less (memory), or the host more`,
    )
  if (free.diskMB < 300)
    throw new HostError(`${free.diskMB} MB of disk are free on this host, which is too little for a release`)
}
