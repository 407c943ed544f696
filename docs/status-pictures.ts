import { statusHtml } from '../commands/status/html.ts'
import { statusText } from '../commands/status/text.ts'
import { botFindings } from '../lib/health/bot-findings.ts'
import { byUrgency, type Commands } from '../lib/health/finding.ts'
import { hostFindings } from '../lib/health/host-findings.ts'
import type { BotHealth } from '../lib/health/state.ts'
import { paintFor } from '../lib/std/colour.ts'
import { shown } from '../lib/std/output.ts'
import { container, healthyBot, healthyHost, now } from '../test/support/status/health.ts'
import { screenAt } from '../test/support/terminal.ts'
import { pagePicture } from './page-picture.ts'
import { pictureOf } from './picture.ts'

/** A host with three bots, of which one needs a person. Its page is 1000 CSS pixels wide, and so many high. */
export async function statusPictures(height: number): Promise<Readonly<Record<string, string>>> {
  return {
    'status.svg': await terminal(),
    'status-light.svg': pagePicture(examplePage(), 'light', { width: pageWidth, height }),
    'status-dark.svg': pagePicture(examplePage(), 'dark', { width: pageWidth, height }),
  }
}

export const pageWidth = 1000

export function examplePage(): string {
  return statusHtml([example()], new Date(now))
}

async function terminal(): Promise<string> {
  const text = shown(statusText([example()], paintFor({ isTTY: true }, {})))
  const events = [[0, `$ npx zx playbooks/status.ts\n${text}`.replaceAll('\n', '\r\n')]] as const
  const columns = 118
  return pictureOf(await screenAt({ code: 3, columns, rows: 40, events }), columns, 'status.ts on a terminal')
}

function example() {
  const health = { ...healthyHost, pendingReboot: ['linux-image-amd64'] }
  const worker = { ...container, status: 'exited', health: '', exitCode: 137, limitMB: 128 }
  const { memoryMB: _, ...stopped } = worker
  const bots: BotHealth[] = [
    { ...healthyBot, name: 'hello-bot' },
    {
      ...healthyBot,
      name: 'shop-bot',
      release: { id: '20261125-181502-7b1', at: now - 15 * 3_600_000 },
      container: { ...container, memoryMB: 88 },
      processes: { worker: stopped, cache: { ...container, memoryMB: 9, limitMB: 64 } },
      traffic: { minutes: 60, delivered: 1284, failed: 3, refused: 0 },
      webhook: { url: 'own', pending: 2 },
      jobs: { digest: { last: 'ok on 2026-11-26 08:00 UTC, 2 s', failed: false } },
      domains: ['shop.example.org'],
    },
    {
      ...{ name: 'news-bot', release: { id: '20261103-074410-e5c', at: now - 23 * 86_400_000 }, mode: 'polling' },
      container: { ...container, memoryMB: 41 },
      ...{ processes: {}, webhook: { url: 'none', pending: 0 }, jobs: {}, domains: [] },
    },
  ]
  const findings = byUrgency([
    ...hostFindings(health, commands),
    ...bots.flatMap((bot) => botFindings(bot, now, commands)),
  ])
  return { host: 'vps1', health, bots, findings, roundTrips: 1, exitCode: 3 }
}

const commands: Commands = {
  playbook: (name, more = '') => `npx zx playbooks/${name}.ts ${more}`.trim(),
  removal: (bot) => `npx zx playbooks/bot.ts --name ${bot} --limit vps1 --remove`,
  onHost: (command) => `ssh vps1 '${command}'`,
}
