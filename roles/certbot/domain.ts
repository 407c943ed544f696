import { becomes, type Read, type Resource, resource } from '../../lib/model/resource.ts'
import { certificateState } from '../../lib/platform/certificate.ts'
import { type Order, tryToIssue } from './issue.ts'
import { installChange, isRight, lineage, predictsIssued } from './lineage.ts'
import { type Refusal, refusalOf } from './refusal.ts'

/** How often an authority is asked: once a run, and not again soon unless the operator says so. */
export interface Attempts {
  /** Names this run, so that it asks once. */
  readonly run: string
  /** However short ago it failed. */
  readonly always: boolean
}

/**
 * The certificate of a bot's domain. Where it cannot be had, all else goes on, and the run ends with the reason as an error; for
 * an hour the authority is not asked again, unless DNS changes.
 */
export function domainCertificate(bot: string, domain: string, order: Order, attempts: Attempts): Resource {
  const reads = { got: lineage(domain), shown: certificateState(domain), refusal: refusalOf(domain) }
  const isMissing = (read: Read) => !isRight(read(reads.got), domain, order.server)
  return {
    ...resource({
      id: `certificate:${domain}`,
      wants: order.server,
      reads,
      plan: ({ got, shown, refusal }) => {
        if (isRight(got, domain, order.server)) return installChange(domain, got, shown)
        if (waits(refusal, attempts)) return []
        return [
          {
            summary: `request one from ${order.server}, for ${bot}`,
            script: tryToIssue(domain, order, attempts.run),
            predicts: [...predictsIssued(domain, order.server), becomes(reads.refusal, undefined)],
            long: true,
          },
        ]
      },
    }),
    fault: (read) => {
      const refusal = read(reads.refusal)
      if (refusal === undefined || !isMissing(read)) return undefined
      return faultOf(bot, domain, refusal)
    },
  }
}

function faultOf(bot: string, domain: string, { reason, until }: Refusal): string {
  // The host names the domain as well.
  const said = reason.startsWith(`${domain}: `) ? reason.slice(domain.length + 2) : reason
  return `${domain} of ${bot} has no certificate, and nothing else was held up: ${said}; it is requested again when DNS answers otherwise, after ${until} UTC, or at once by: npx zx playbooks/bot.ts --name ${bot}`
}

function waits(refusal: Refusal | undefined, { run, always }: Attempts): boolean {
  if (refusal === undefined) return false
  return refusal.run === run || (!always && refusal.recent && !refusal.dnsChanged)
}
