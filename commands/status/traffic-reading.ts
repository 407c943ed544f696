import type { Traffic } from '../../lib/health/state.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { nginxContainer } from '../../lib/platform/nginx.ts'
import { sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'

/** What nginx has logged for a bot in the last hour; undefined where its log cannot be read. */
export function trafficReading(bot: string): Reading<Traffic | undefined> {
  return reading(kind, bot)
}

/** So many lines are read, the newest: 50 requests a second for an hour. */
const most = 180_000

const script = shellFile(new URL('traffic.sh', import.meta.url))

const kind: Kind<Traffic | undefined> = {
  name: 'traffic',
  volatile: true,
  cost: 200,
  script: (bots) => sh`
    server=${nginxContainer} most=${most} bots=${bots.join(' ')}
    ${script}`,
  parse: (output, bots) => {
    const minutes = minutesIn(output)
    const found = new Map(
      [...output.matchAll(/^bot (\S+) (\d+) (\d+) (\d+)$/gm)].map(([, bot = '', ...counts]) => [
        bot,
        counts.map(Number),
      ]),
    )
    return new Map(
      bots.map((bot) => {
        const [delivered = 0, failed = 0, refused = 0] = found.get(bot) ?? []
        return [bot, minutes === undefined ? undefined : { minutes, delivered, failed, refused }]
      }),
    )
  },
}

/** How far the log reaches back, an hour at the most: not before the container was made, nor before the lines that were read. */
function minutesIn(output: string): number | undefined {
  const of = (pattern: RegExp) => pattern.exec(output)?.[1]
  const now = Number(of(/^now (\d+)$/m)) * 1000
  const created = Date.parse(of(/^created (\S+)$/m) ?? '')
  if (Number.isNaN(now) || Number.isNaN(created)) return undefined
  const isCut = Number(of(/^lines (\d+)/m) ?? 0) >= most
  const first = isCut ? Date.parse(of(/^lines \d+ (\S+)$/m) ?? '') : created
  const begin = Math.max(now - 3_600_000, Number.isNaN(first) ? created : first)
  return Math.max(1, Math.min(60, Math.round((now - begin) / 60_000)))
}
