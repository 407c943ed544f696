import * as v from 'valibot'
import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import { becomes, type Change, type Resource, resource } from '../../../lib/model/resource.ts'
import { configLabel } from '../../../lib/resources/container.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { allocations } from '../spec/allocations.ts'
import { botFolders, placesOf } from '../spec/layout.ts'
import { currentRelease, parseRelease, parseReleases, type Release, tornBecause } from '../spec/release-record.ts'
import { type BotInstance, serviceFile } from './compose-file.ts'

/**
 * What the host has recorded of a bot is whole. Where it is not, the record is taken from `releases`, which has every one of
 * them, if the container that is there says which it is; else a release replaces it, and without one that is told.
 */
export function record(seat: Omit<BotInstance, 'number'>, isReleased: boolean): Resource {
  const { bot } = seat
  const { state, current } = placesOf(bot)
  const reads = { text: currentRelease(bot), found: foundOf(bot), taken: allocations }
  return {
    ...resource({
      id: `record:${bot}`,
      wants: 'whole',
      reads,
      plan: ({ text, found, taken }): readonly Change[] => {
        const reason = lackOf(text, found)
        const healed = reason === undefined ? undefined : healedFrom(seat, taken[bot], found)
        if (healed === undefined) return []
        const line = `${JSON.stringify(healed)}\n`
        const script = sh`
          printf %s ${Buffer.from(line).toString('base64')} | base64 -d | tee ${`${current}.new`} >/dev/null
          sync ${`${current}.new`}
          mv -fT ${`${current}.new`} ${current}
          sync ${state}`
        const summary = `current.json, since ${reason}: ${healed.id} again, which its container was made from`
        return [{ summary, script, predicts: [becomes(reads.text, line)] }]
      },
    }),
    ...(!isReleased && {
      fault: (read) => {
        const reason = lackOf(read(reads.text), read(reads.found))
        if (reason === undefined) return undefined
        return `${current}: ${reason}, and nothing on the host says for certain what serves; it was left alone: npx zx playbooks/bot.ts --name ${bot} releases it anew`
      },
    }),
  }
}

/** What there is besides a record that seems not to be whole. */
export interface Found {
  /** The lines of `releases`. */
  readonly past: string
  readonly containers: readonly FoundContainer[]
}

export type FoundContainer = v.InferOutput<typeof container>

export function foundOf(bot: string): Reading<Found | undefined> {
  return reading(finds, bot)
}

/** Of a bot's containers the one that serves; undefined where that is not certain. */
export function servingOf(found: Found | undefined): FoundContainer | undefined {
  const { containers = [] } = found ?? {}
  const running = containers.filter((each) => each.running)
  const bound = running.filter(isBound)
  return [containers, running, bound].find(({ length }) => length === 1)?.[0]
}

/**
 * What is wrong with a record; undefined where it is whole, or nothing has been released. A container that every boot brings
 * back serves, whatever became of its record; one that a first release has left where it was cut is none of these.
 */
export function lackOf(text: string | undefined, found: Found | undefined): string | undefined {
  if (text !== undefined) return tornBecause(text)
  return found?.containers.some(isBound) ? 'it is gone' : undefined
}

function isBound({ restart }: FoundContainer): boolean {
  return restart === 'always'
}

function healedFrom(seat: Omit<BotInstance, 'number'>, number: number | undefined, found: Found | undefined) {
  const serving = servingOf(found)
  if (found === undefined || serving === undefined) return undefined
  const { releases } = parseReleases(found.past)
  const isMadeFrom = ({ colour, spec }: Release) =>
    number !== undefined &&
    serviceFile({ ...seat, number }, colour, spec, { memoryMB: 0, cpus: 0 }).checksum === serving.labels[configLabel]
  const alike = releases.filter(({ colour, spec }) => colour === serving.colour && spec.image === serving.image)
  // Made by another botgarden, its checksum may be another; the last of all records then leaves no doubt either.
  const last = parseRelease(found.past.trimEnd().split('\n').at(-1))
  return alike.findLast(isMadeFrom) ?? alike.find(({ id }) => id === last?.id)
}

const container = v.pipe(
  v.object({
    name: v.string(),
    running: v.boolean(),
    restart: v.string(),
    image: v.string(),
    labels: v.record(v.string(), v.string()),
    env: v.array(v.string()),
  }),
  v.transform(({ name, ...rest }) => ({
    ...rest,
    colour: name.endsWith('-blue') ? ('blue' as const) : ('green' as const),
  })),
)

const format =
  '{"name":{{json .Name}},"running":{{.State.Running}},"restart":{{json .HostConfig.RestartPolicy.Name}},"image":{{json .Config.Image}},"labels":{{json .Config.Labels}},"env":{{json .Config.Env}}}'

const finds: Kind<Found | undefined> = {
  name: 'record',
  volatile: true,
  // A record that is whole is the last line of `releases` too: then there is nothing to be found.
  script: (bots) => sh`
    for bot in ${bots}; do
      state=${botFolders.state}/$bot line=
      { IFS= read -r line || :; } 2>/dev/null <"$state/current.json" || :
      case $line in '{"id":"'*'}') [ "$(tail -n 1 "$state/releases" 2>/dev/null)" != "$line" ] || continue ;; esac
      printf 'found %s ' "$bot"; tail -c 200000 "$state/releases" 2>/dev/null | base64 --wrap=0; echo
      docker container inspect --format ${format} -- "botgarden-$bot-blue" "botgarden-$bot-green" 2>/dev/null
    done`,
  parse: (output, bots) => {
    const found = output.split(/^found /m).flatMap((part) => {
      const [head = '', ...rows] = part.split('\n')
      const [bot = '', past = ''] = head.split(' ')
      const containers = rows.filter((row) => row.startsWith('{')).map((row) => v.parse(container, JSON.parse(row)))
      return [[bot, { past: Buffer.from(past, 'base64').toString(), containers }] as const]
    })
    const states = new Map(found)
    return new Map(bots.map((bot) => [bot, states.get(bot)]))
  },
}
