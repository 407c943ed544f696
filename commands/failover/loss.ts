import type { Failover } from './plan.ts'
import type { Replica } from './server.ts'
import { isKnown } from './stand.ts'

/** What of the changes on the old host the new one does not have, as far as that is known. */
export function lossText(
  { from, to }: Pick<Failover, 'from' | 'to'>,
  replica: Replica,
  flushed: number | undefined,
): string {
  const old = from.host.name
  const { lastCommit, lastHeard, replayed } = replica
  if (isKnown(from) && flushed !== undefined && replayed >= flushed)
    return `nothing is lost: ${to.host.name} has all that ${old} has written`
  const { synchronous } = (from.host.vars.postgres ?? {}) as { synchronous?: boolean }
  if (synchronous === true)
    return `nothing that ${old} has acknowledged is lost, since a commit waited for ${to.host.name}; unless it was degraded`
  const until = lastCommit === undefined ? 'of before it was copied' : `of ${timeOf(lastCommit)}`
  const missing = flushed === undefined ? '' : `, and lacks ${flushed - replayed} bytes after that`
  const heard =
    lastHeard === undefined || lastCommit === undefined
      ? ''
      : ` ${old} was last heard of at ${timeOf(lastHeard)}: that is at most ${(Math.max(0, lastHeard - lastCommit) / 1000).toFixed(1)} s of changes up to then`
  return `the last change that ${to.host.name} has is ${until}${missing}: what ${old} has acknowledged after that is lost.${heard}`
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
