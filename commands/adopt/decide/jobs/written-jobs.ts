import * as v from 'valibot'
import { looksLikeToken } from '../../../../roles/bot/spec/references.ts'
import { botManifestSchema } from '../../../../roles/bot/spec/schema.ts'
import { commandOf, textOf } from '../../read/command-line.ts'
import type { Timed } from '../../read/crontab.ts'
import type { Note } from '../../read/finding.ts'
import { looksSecret } from '../names.ts'
import { scheduleOf } from './schedule.ts'

/** More than any bot has. */
const maxJobs = 50
/** Characters; commands are searched. */
const maxCommand = 2000

const secret =
  'a job with a secret among its words, which everybody on the host could read: have the program read it from a variable'

interface Named {
  readonly name: string
  readonly keys: Readonly<Record<string, unknown>>
  readonly from: string
}

/** Jobs as bot.yaml has them, each with a name of its own. `workdir`: where a container of the bot begins. */
export function writtenJobs(
  times: readonly Timed[],
  workdir: string,
): { jobs: readonly Named[]; notes: readonly Note[] } {
  const jobs: Named[] = []
  const notes: Note[] = []
  for (const each of times.slice(0, 4 * maxJobs)) {
    const { from, command } = each
    const made = keysOf(each, workdir)
    // What may be secret is not shown.
    if (typeof made === 'string')
      notes.push(`${from}: ${made === secret ? '' : `${textOf(command).slice(0, 100)}: `}${made}`)
    else if (jobs.length >= maxJobs) notes.push(`${from}: a job too many: ${maxJobs} are mapped`)
    else jobs.push({ name: unique(named(each), jobs), keys: made, from })
  }
  return { jobs, notes }
}

/** The keys of a job; or why it is none. */
function keysOf(
  { schedule: said, command: given, timezone }: Timed,
  workdir: string,
): Readonly<Record<string, unknown>> | string {
  if (said.length + textOf(given).length > maxCommand) return 'is too long: not mapped'
  if (hasSecret(textOf(given))) return secret
  const times = scheduleOf(said)
  if ('fault' in times)
    return `its schedule "${said}" ${/^should/.test(times.fault) ? '' : 'cannot be had: '}${times.fault}`
  const line = typeof given === 'string' ? plainLine(given, workdir) : undefined
  if (line !== undefined && /(?<!\\)%/.test(line.replaceAll(/\+%\S*/g, '')))
    return 'a % begins the input of its program: not mapped'
  const command = commandOf(line?.replaceAll('\\%', '%') ?? given)
  const text = command.join(' ')
  if (text.trim() === '') return 'its command is empty: not mapped'
  if (/(^|[\s;&|/])(docker|docker-compose|podman|flock|sudo|systemctl)\s/.test(text))
    return `is for the host: not mapped; say under "jobs:" what runs in the image of the bot, at '${times.schedule}'`
  const zone = times.timezone ?? timezone
  const job = { schedule: times.schedule, ...(zone && zone !== 'UTC' && { timezone: zone }), command }
  const { issues } = v.safeParse(botManifestSchema, { jobs: { job } })
  return issues?.[0]?.message ?? job
}

function hasSecret(text: string): boolean {
  return (
    text.split(/[\s=]+/).some((word) => looksLikeToken(word) || looksSecret(word)) ||
    /\$\{?\w*(TOKEN|PASS|SECRET|KEY)/.test(text)
  )
}

/** Without what a container does by itself: it begins in its folder, and its output is kept in the journal of the host. */
function plainLine(line: string, workdir: string): string {
  const redirection = /\s*(?<![\w])[\d&]?>>?\s*(?:&\d|[^\s;&|<>]+)\s*$/
  let text = line.trim()
  while (redirection.test(text)) text = text.replace(redirection, '')
  const start = `cd ${workdir} && `
  return text.startsWith(start) ? text.slice(start.length).trim() : text
}

function named({ name, command }: Timed): string {
  const text = textOf(command)
  const program =
    /([\w-]+)\.(?:py|[cm]?js|ts|sh|rb)\b/.exec(text)?.[1] ??
    /-m\s+[\w.]*?(\w+)(?=\s|$)/.exec(text)?.[1] ??
    /\b(?:npm|pnpm|yarn)\s+(?:run\s+)?([\w:-]+)/.exec(text)?.[1] ??
    /([\w-]+)\W*$/.exec(text)?.[1]
  const small = (name ?? program ?? '').toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  return (
    small
      .replace(/^[^a-z]+/, '')
      .slice(0, 26)
      .replace(/-+$/, '') || 'job'
  )
}

function unique(name: string, jobs: readonly Named[]): string {
  const isTaken = (wanted: string) => jobs.some((each) => each.name === wanted)
  if (!isTaken(name)) return name
  const number = jobs.findIndex((_, i) => !isTaken(`${name}-${i + 2}`)) + 2
  return `${name}-${number}`
}
