import { composeFile } from '../../../lib/resources/compose.ts'
import type { BotInstance } from '../spec/instance.ts'
import { addressOf, type Colour, databaseAddressOf, layoutOf } from '../spec/layout.ts'
import type { ContainerLimits } from '../spec/limits.ts'
import type { Spec } from '../spec/spec.ts'
import { routerLimits, routerService } from './replicas/router.ts'
import { containerOf, limitKeys } from './service.ts'

/** The compose file of one colour of a bot: of its router, where it has replicas. Its checksum leaves out the limits, which change without a release. */
export function serviceFile(instance: BotInstance, colour: Colour, spec: Spec, limits: ContainerLimits) {
  const layout = layoutOf(instance.bot)
  const name = layout.container(colour)
  const file = `${layout.compose}/${colour}.yaml`
  if (spec.replicas !== undefined) {
    const { version: router, more } = routerService(instance, colour, spec)
    const { text, checksum } = composeFile({
      name,
      folder: '',
      service: { ...router, ...limitKeys(routerLimits) },
      more,
    })
    return { name, text, checksum, file }
  }
  const { version, more, startedWith } = containerOf(instance, colour, spec, {
    ...{ image: spec.image, command: spec.command, port: spec.port },
    address: addressOf(instance.base, instance.number, colour),
    databaseAddress: databaseAddressOf(instance.base, instance.number, colour),
  })
  const { checksum } = composeFile({ name, folder: '', service: version, more, startedWith })
  const { text } = composeFile({ name, folder: '', service: { ...version, ...limitKeys(limits) }, more, checksum })
  return { name, text, checksum, file }
}
