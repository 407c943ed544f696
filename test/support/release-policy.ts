import type { ReleasePolicy } from '../../roles/bot/release/policy.ts'

/** Where a bot is, as its compose file needs to know it; its name and number come beside. */
export const place = { base: '10.210', telegram: 'https://api.telegram.org', origin: 'https://bots.example.org' }

export const limits = { memoryMB: 160, cpus: 0.5 }

/** How a bot `hello` with a webhook is released where a test says nothing else. */
export const policy: ReleasePolicy = {
  ...{ limits: () => limits, settle: 2, drain: 3, keep: 1, by: 'me', migrates: true, bots: 1, startsAtOnce: 2 },
  hook: {
    ...{ bot: 'hello', url: 'https://b.example.org/tg/hello', name: 'b.example.org' },
    ...{ telegram: 'https://api.telegram.org', ask: true },
  },
}
