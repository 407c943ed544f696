import type { Outputs } from '../../../lib/model/resource.ts'
import type { ContainerState } from '../../../lib/resources/container.ts'

/** Output of a run: a bot that has ended by itself since its release, as one that crashes again and again. */
export function restartWarning(bot: string, container: ContainerState): Outputs {
  if (container === 'absent' || container.restarts === undefined) return {}
  const { restarts, startedAt } = container
  const last =
    startedAt === undefined || Number.isNaN(startedAt) ? '' : `, last at ${new Date(startedAt).toISOString()}`
  return {
    [`${bot} restarts`]: `it has ended by itself and was started again, ${restarts} ${restarts === 1 ? 'time' : 'times'}${last}: see npx zx playbooks/bot.ts --name ${bot} --logs`,
  }
}
