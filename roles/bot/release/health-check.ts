import { waiting } from '../../../lib/shell/deadline.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { addressOf, type Colour, placesOf } from '../spec/layout.ts'
import type { Spec } from '../spec/spec.ts'
import type { BotInstance } from './compose-file.ts'

const functions = shellFile(new URL('health-check.sh', import.meta.url))

/**
 * Shell functions about the container `$new`: `await_health`, `settle SECONDS`, and what tells why it is not what it should be,
 * `report CONTAINER` and `report_holder`. It is asked by the host's own curl, at its own address: no image needs a tool for that.
 */
export function healthFunctions(
  { bot, base, number }: BotInstance,
  colour: Colour,
  { health, port }: Spec,
  /** How long a new container may take to answer that it is well, in seconds. */
  patience = 60,
): Script {
  const address = addressOf(base, number, colour)
  const url = health === undefined ? '' : `http://${address}:${port}${health}`
  return sh`
    ${waiting}
    url=${url} address=${address} network=${placesOf(bot).network} patience=${patience} last=''
    ${functions}`
}
