import { composeFile, composeText } from '../../../../lib/resources/compose.ts'
import { configLabel } from '../../../../lib/resources/container.ts'
import type { BotInstance } from '../../spec/instance.ts'
import { type Colour, layoutOf } from '../../spec/layout.ts'
import { type Limits, limitsOfProcess } from '../../spec/limits.ts'
import { processAddress, processContainer } from '../../spec/processes.ts'
import type { Spec } from '../../spec/spec.ts'
import { containerOf, limitKeys } from '../service.ts'

/** A process as its compose file has it. */
export interface ProcessService {
  readonly name: string
  readonly container: string
  readonly image: string
  readonly address: string
  /** Where it says that it is ready; undefined where it is not asked. */
  readonly url: string | undefined
  readonly checksum: string
}

export interface ProcessesFile {
  readonly text: string
  readonly file: string
  readonly services: readonly ProcessService[]
}

/** The compose file with all processes of one colour; undefined where the version has none. */
export function processesFile(
  instance: BotInstance,
  colour: Colour,
  spec: Spec,
  limits: Limits,
): ProcessesFile | undefined {
  const { bot } = instance
  const all = Object.entries(spec.processes ?? {}).sort(([one], [other]) => (one < other ? -1 : 1))
  if (all.length === 0) return undefined
  // An underscore is in no bot's name, and a dot in no project's.
  const project = `${layoutOf(bot).network}_processes-${colour}`
  const each = all.map(([name, { image, command, port, health }]) => {
    const container = processContainer(bot, name, colour)
    const address = processAddress(instance, spec, name, colour)
    const { version, more, startedWith } = containerOf(instance, colour, spec, {
      ...{ image, command, port: port ?? spec.port, address, process: name },
    })
    const { checksum } = composeFile({ name: container, folder: '', service: version, more, startedWith })
    const { labels, ...others } = version
    const service = {
      ...{ container_name: container, ...others, ...limitKeys(limitsOfProcess(limits, name)) },
      labels: { ...labels, [configLabel]: checksum },
    }
    const url = health === undefined ? undefined : `http://${address}:${port}${health}`
    return { name, container, image, address, url, checksum, service, more }
  })
  const services = Object.fromEntries(each.map(({ name, service }) => [name, service]))
  const text = composeText({ name: project, ...each[0]?.more, services })
  return { text, file: `${layoutOf(bot).compose}/${colour}.processes.yaml`, services: each }
}
