import type { Session } from '../../lib/cli/session.ts'
import { domainsOf } from '../../lib/platform/domains.ts'
import { HostError } from '../../lib/std/errors.ts'
import { imagesIn } from '../../roles/bot/spec/processes.ts'
import type { Course } from './course.ts'
import { imagesOn, missingImages } from './images.ts'
import { obstaclesTo } from './obstacles.ts'
import type { Situation } from './survey.ts'

/** Says what a move would do, and changes nothing. Returns the exit code: 2 where there is something to do. */
export async function whatWouldHappen(session: Session, bot: string, course: Course): Promise<number> {
  const say = (line: string) => session.report.line(`${bot}  ${line}`)
  if (course.kind === 'there') {
    say(`serves on ${course.to.host.name} already`)
    return 0
  }
  if (course.kind === 'finish')
    say(`would be released on ${course.to.host.name}, which a move that was cut has decided`)
  if (course.kind === 'back') say(`would serve on ${course.to.host.name} again: a move that was cut goes back`)
  if (course.kind === 'move') await previewMove(session, bot, course, say)
  return 2
}

async function previewMove(
  session: Session,
  bot: string,
  { from, to }: Extract<Course, { kind: 'move' }>,
  say: (line: string) => void,
): Promise<void> {
  const { record } = from
  if (record === undefined) return
  const { spec } = record
  const names = [...new Set([...imagesIn(spec), ...from.past.flatMap((each) => imagesIn(each.spec))])]
  const [here, there] = await Promise.all(
    [from, to].map(({ host }) => session.connected(host, (c) => imagesOn(c, names), { quiet: true })),
  )
  const missing = missingImages(here ?? [], there ?? [])
  const imagesMiB = Math.ceil(missing.reduce((sum, { bytes }) => sum + bytes, 0) / 2 ** 20)
  const obstacles = obstaclesTo(bot, from, to, 2 * imagesMiB)
  if (obstacles.length > 0) throw new HostError(obstacles.join('\n'))
  say(`would be moved from ${from.host.name} to ${to.host.name}`)
  say(
    `would copy, while it serves: ${missing.length} images (${imagesMiB} MiB), its secrets${sizes(from, spec.data ?? [])}`,
  )
  say(`would stop it then${spec.database ? `, and bring its database of ${from.databaseMiB} MiB over by a dump` : ''}`)
  say(`would have it answer on ${to.host.name}: ${answersBy[spec.mode]}`)
  const entry = from.host.bots.find(({ name }) => name === bot)
  const domains = entry === undefined ? [] : domainsOf(entry)
  if (domains.length > 0) say(`would leave the DNS of ${domains.join(', ')} to you`)
}

const answersBy = {
  webhook: 'by one setWebhook',
  polling: 'it polls there, once it has stopped here',
  none: 'it is no bot, and nothing calls it but its jobs and routes',
} as const

function sizes({ dataMiB, cacheMiB }: Situation, data: readonly string[]): string {
  return `${data.length > 0 ? `, ${dataMiB} MiB of data` : ''}${cacheMiB > 0 ? `, ${cacheMiB} MiB of its cache` : ''}`
}
