// Hosts as status.ts has read them, for tests of what is shown.
import type { HostStatus } from '../../../commands/status/host-status.ts'
import { container, healthyBot, healthyHost, now } from './health.ts'

/** A host with a bot, one of its processes and a job, and with a bot that is not there. */
export const whole: HostStatus = {
  ...{ host: 'vps1', health: healthyHost, roundTrips: 1, exitCode: 0, findings: [] },
  bots: [
    {
      ...healthyBot,
      processes: { worker: { ...container, memoryMB: 30.4, limitMB: 64 } },
      jobs: { digest: { last: 'ok on 2026-11-26 08:00 UTC, 2 s', failed: false } },
      domains: ['shop.example.org'],
    },
    { ...healthyBot, name: 'a-longer-name', release: 'absent', container: 'absent' },
  ],
}
/** What a host could say to become more than text. */
export const hostile = '<script>alert(1)</script>"\'&\u001b[31m\n<img src=x>\u202e'

/** A host that says this wherever it can say something. */
export function saying(text: string): HostStatus {
  const health = {
    ...healthyHost,
    disks: [{ path: `/${text}`, sizeMB: 1, used: 0, inodesUsed: 0 }],
    certificates: [{ name: 'x', ends: text, issuer: text, wrong: false, signed: true }],
    lastCheck: { at: now, differences: [text] },
  }
  const jobs = { [text]: { last: text, failed: true } }
  const bot = {
    ...healthyBot,
    ...{
      name: text,
      release: { id: text },
      container: { ...container, status: text, health: text },
      jobs,
      domains: [text],
    },
    processes: { [text]: 'absent' as const },
  }
  const finding = { level: 'error', id: 'x', bot: text, what: text, next: text } as const
  return { host: text, health, bots: [bot], findings: [finding], roundTrips: 1, exitCode: 3 }
}
