import type { ProcessSettings } from './processes.ts'
import type { Spec } from './spec.ts'

/** The networks to the database have addresses for as many, two versions of each. */
const mostWithTcp = 3

/** Processes that cannot run as their keys say, as lines `processes.NAME: what`. */
export function processConflicts({ processes = {}, image, tcp }: Spec): readonly string[] {
  const all = Object.entries(processes)
  return [
    ...all.flatMap(([name, { command, port, health, image: own }]) => [
      ...(health !== undefined && port === undefined
        ? [`processes.${name}.health: is asked for at its port: set "port:" of the process as well`]
        : []),
      ...(command === undefined && own === image
        ? [
            `processes.${name}: would be a second container of the bot itself: set its "command:", or a "dockerfile:" or "target:" of its own`,
          ]
        : []),
    ]),
    ...(tcp && all.length > mostWithTcp
      ? [
          `processes: the network of "database: { tcp: true }" has room for ${mostWithTcp}, found ${all.length}: use the socket instead (no tcp), or fewer processes`,
        ]
      : []),
  ]
}

/** The key by which a process has an image of its own; undefined where it has that of the bot. */
export function buildKeyOf(said: ProcessSettings): 'dockerfile' | 'target' | 'args' | undefined {
  return (['dockerfile', 'target', 'args'] as const).find((key) => said[key] !== undefined)
}
