import { composeFile } from '../../../../lib/resources/compose.ts'
import type { BotInstance } from '../../spec/instance.ts'
import { type Colour, layoutOf } from '../../spec/layout.ts'
import type { ContainerLimits } from '../../spec/limits.ts'
import type { Spec } from '../../spec/spec.ts'
import { containerOf, limitKeys } from '../service.ts'
import { replicasLayout } from './layout.ts'

/** The compose file of a container that is like a replica, but on the host that serves, at any address that is free: for a migration. */
export function onceFile(instance: BotInstance, colour: Colour, spec: Spec, limits: ContainerLimits) {
  const { onceFile: file } = replicasLayout(instance.bot)
  const { version, more } = containerOf(instance, colour, spec, {
    ...{ image: spec.image, command: spec.command, port: spec.port },
  })
  const name = `${layoutOf(instance.bot).network}-once`
  const { text } = composeFile({ name, folder: '', service: { ...version, ...limitKeys(limits) }, more })
  return { name, text, file }
}
