import type { Outputs } from '../../../lib/model/resource.ts'
import type { ContainerState } from '../../../lib/resources/container.ts'
import { hostGenerated, type StoredSecrets } from '../spec/stored-secrets.ts'

/** Why a container must be started again; undefined where it runs as its release says. */
export function restartReason(container: ContainerState, checksum: string, kept: StoredSecrets): string | undefined {
  if (container === 'absent') return 'its container is gone'
  if (container.status !== 'running') return `its container is ${container.status}`
  const { stale = [], startedAt = Number.POSITIVE_INFINITY } = container
  if (stale.length > 0) return `${stale[0]} is not the folder that its container has mounted`
  const renewed = hostGenerated.filter((name) => (kept[name] ?? 0) > startedAt)
  if (renewed.length > 0)
    return `${renewed.join(' and ')} ${renewed.length > 1 ? 'are' : 'is'} newer than its container`
  return container.config === checksum ? undefined : 'its container differs from its release'
}

/** Output of a run: a bot that has ended by itself since its release, as one that crashes again and again; or a process of it. */
export function restartWarning(bot: string, container: ContainerState, process?: string): Outputs {
  if (container === 'absent' || container.restarts === undefined) return {}
  const { restarts, startedAt } = container
  const last =
    startedAt === undefined || Number.isNaN(startedAt) ? '' : `, last at ${new Date(startedAt).toISOString()}`
  return {
    [`${bot}${process === undefined ? '' : `.${process}`} restarts`]: `it has ended by itself and was started again, ${restarts} ${restarts === 1 ? 'time' : 'times'}${last}: see npx zx playbooks/bot.ts --name ${bot} --logs`,
  }
}
