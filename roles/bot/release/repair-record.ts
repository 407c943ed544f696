import * as v from 'valibot'
import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import { becomes, type Change, type Resource, resource } from '../../../lib/model/resource.ts'
import { configLabel } from '../../../lib/resources/container.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { allocations } from '../spec/allocations.ts'
import type { BotInstance } from '../spec/instance.ts'
import { botFolders, layoutOf } from '../spec/layout.ts'
import { corruption, currentRelease, parseRelease, parseReleases, type Release } from '../spec/release-record.ts'
import type { Spec } from '../spec/spec.ts'
import { serviceFile } from './compose-file.ts'
import { processOf } from './processes/states.ts'

/**
 * Recovers a corrupt or missing `current.json` from `releases`, which has all records, if the running container tells which one
 * it is. Else the next release replaces it, and a run without a release ends with an error.
 */
export function repairedRecord(instance: Omit<BotInstance, 'number'>, isReleased: boolean): Resource {
  const { bot } = instance
  const { state, current } = layoutOf(bot)
  const reads = { text: currentRelease(bot), found: recordEvidence(bot), taken: allocations }
  return {
    ...resource({
      id: `record:${bot}`,
      wants: 'whole',
      reads,
      plan: ({ text, found, taken }): readonly Change[] => {
        const reason = recordFault(text, found)
        const healed = reason === undefined ? undefined : recoveredRelease(instance, taken[bot], found)
        if (healed === undefined) return []
        const line = `${JSON.stringify(healed)}\n`
        const script = sh`
          printf %s ${Buffer.from(line).toString('base64')} | base64 -d | tee ${`${current}.new`} >/dev/null
          sync ${`${current}.new`}
          mv -fT ${`${current}.new`} ${current}
          sync ${state}`
        const summary = `recover current.json, since ${reason}: ${healed.id}, which its container was created from`
        return [{ summary, script, predicts: [becomes(reads.text, line)] }]
      },
    }),
    ...(!isReleased && {
      fault: (read) => {
        const reason = recordFault(read(reads.text), read(reads.found))
        if (reason === undefined) return undefined
        return `${current}: ${reason}, and which release is serving cannot be determined; nothing was changed; release it again: npx zx playbooks/bot.ts --name ${bot}`
      },
    }),
  }
}

/** What else the host knows of a bot whose record is corrupt or missing. */
export interface RecordEvidence {
  /** The text of `releases`: a record a line. */
  readonly past: string
  readonly containers: readonly EvidenceContainer[]
}

export type EvidenceContainer = v.InferOutput<typeof container>

export function recordEvidence(bot: string): Reading<RecordEvidence | undefined> {
  return reading(evidenceKind, bot)
}

/** The serving one of a bot's containers; undefined where that is not certain. */
export function servingContainer(found: RecordEvidence | undefined): EvidenceContainer | undefined {
  const { containers = [] } = found ?? {}
  const running = containers.filter((each) => each.running)
  const bound = running.filter(startsAtBoot)
  return [containers, running, bound].find(({ length }) => length === 1)?.[0]
}

/**
 * What is wrong with a record; undefined where it is valid, or nothing has been released. A missing record is a fault only if a
 * container has the restart policy `always`: an interrupted first release leaves one without.
 */
export function recordFault(text: string | undefined, found: RecordEvidence | undefined): string | undefined {
  if (text !== undefined) return corruption(text)
  return found?.containers.some(startsAtBoot) ? 'it is missing' : undefined
}

/** What the switch must know of a serving container whose record is corrupt or missing. Its migrations are not known. */
export function releaseFromContainer(
  bot: string,
  spec: Spec,
  text: string | undefined,
  found: RecordEvidence | undefined,
  /** The names of the containers of its processes. */
  containers: readonly string[],
): Release | undefined {
  const serving = recordFault(text, found) === undefined ? undefined : servingContainer(found)
  if (serving === undefined) return undefined
  const mode = serving.polls ? 'polling' : 'webhook'
  // Whether one of them is to run alone is not known: so none runs beside a new one.
  const names = containers.flatMap((each) => processOf(bot, each)?.name ?? [])
  const processes = Object.fromEntries(names.map((name) => [name, { image: serving.image, single: true as const }]))
  const { processes: _, ...others } = spec
  const before: Spec = {
    ...others,
    ...{ image: serving.image, mode, migrations: undefined },
    ...(names.length > 0 && { processes }),
  }
  return { id: '', spec: before, colour: serving.colour, secrets: {}, by: '' }
}

function startsAtBoot({ restart }: EvidenceContainer): boolean {
  return restart === 'always'
}

function recoveredRelease(
  instance: Omit<BotInstance, 'number'>,
  number: number | undefined,
  found: RecordEvidence | undefined,
) {
  const serving = servingContainer(found)
  if (found === undefined || serving === undefined) return undefined
  const { releases } = parseReleases(found.past)
  const isMadeFrom = ({ colour, spec }: Release) =>
    number !== undefined &&
    serviceFile({ ...instance, number }, colour, spec, { memoryMB: 0, cpus: 0 }).checksum ===
      serving.labels[configLabel]
  const alike = releases.filter(({ colour, spec }) => colour === serving.colour && spec.image === serving.image)
  // Another version of botgarden may have computed another checksum; then the last record is certain enough.
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
    polls: v.boolean(),
  }),
  v.transform(({ name, ...rest }) => ({
    ...rest,
    colour: name.endsWith('-blue') ? ('blue' as const) : ('green' as const),
  })),
)

// Of its environment only what is no secret.
const format =
  '{"name":{{json .Name}},"running":{{.State.Running}},"restart":{{json .HostConfig.RestartPolicy.Name}},"image":{{json .Config.Image}},"labels":{{json .Config.Labels}},"polls":{{$polls := false}}{{range .Config.Env}}{{if eq . "BOT_MODE=polling"}}{{$polls = true}}{{end}}{{end}}{{$polls}}}'

const evidenceKind: Kind<RecordEvidence | undefined> = {
  name: 'record',
  volatile: true,
  // A valid record is also the last line of `releases`: then nothing more is read.
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
