import { becomes, type Resource, resource, unknownUntilApply } from '../../../lib/model/resource.ts'
import { fileState } from '../../../lib/resources/file-state.ts'
import { allocations } from '../spec/allocations.ts'
import type { BotInstance } from '../spec/instance.ts'
import { layoutOf } from '../spec/layout.ts'
import type { Limits } from '../spec/limits.ts'
import { currentRelease, parseRelease, type Release } from '../spec/release-record.ts'
import { hostGenerated, storedSecrets } from '../spec/stored-secrets.ts'
import type { WebhookTarget } from '../telegram/webhook-state.ts'
import { renewalScript } from './script.ts'

/** The secrets that the host has made for a bot are not older than this, in milliseconds since 1970. */
export function renewedSecrets(
  instance: Omit<BotInstance, 'number'>,
  hook: WebhookTarget,
  limitsFor: (current: Release | undefined) => Limits,
  since: number,
): Resource {
  const { bot } = instance
  const kept = storedSecrets(bot)
  return resource({
    id: `renewed-secrets:${bot}`,
    wants: since,
    reads: { kept, taken: allocations, release: currentRelease(bot) },
    plan: ({ kept: there, taken, release }) => {
      const current = parseRelease(release)
      const number = taken[bot]
      const names = hostGenerated.filter((name) => (there[name] ?? Number.POSITIVE_INFINITY) < since)
      if (current === undefined || number === undefined || names.length === 0) return []
      const limits = limitsFor(current)
      return [
        {
          summary: `make ${names.join(', ')} anew, and start the bot with ${names.length > 1 ? 'them' : 'it'}; its updates wait at Telegram meanwhile`,
          script: renewalScript({ instance: { ...instance, number }, current, limits, hook, names }),
          long: true,
          predicts: [unknownUntilApply(kept), ...(names.includes('webhook-secret') ? [newSecret(bot)] : [])],
        },
      ]
    },
  })
}

/** Its checksum is known only to the host: whatever is recorded of the webhook was made with another one. */
function newSecret(bot: string) {
  return becomes(fileState(`${layoutOf(bot).secrets}/webhook-secret`), (now) => {
    if (now === 'absent') return now
    const { sha256: _, ...others } = now
    return others
  })
}
