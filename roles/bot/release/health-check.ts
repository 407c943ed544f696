import { waiting } from '../../../lib/shell/deadline.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import type { BotInstance } from '../spec/instance.ts'
import { addressOf, type Colour, layoutOf, uidOf } from '../spec/layout.ts'
import type { Spec } from '../spec/spec.ts'

const functions = shellFile(new URL('health-check.sh', import.meta.url))
const advice = shellFile(new URL('advice.sh', import.meta.url))

/**
 * Shell functions about the container `$new`: `await_health`, `settle SECONDS`, `report CONTAINER`, `report_log` and `report_holder`. The curl
 * of the host asks the container at its own address, so an image needs no tool for it.
 */
export function healthFunctions(
  { bot, base, number }: BotInstance,
  colour: Colour,
  { health, port }: Spec,
  /** Seconds that a new container has until it must answer 2xx. */
  readyTimeout = 60,
): Script {
  const address = addressOf(base, number, colour)
  const url = health === undefined ? '' : `http://${address}:${port}${health}`
  return sh`
    ${waiting}
    url=${url} address=${address} network=${layoutOf(bot).network} ready_timeout=${readyTimeout} last='' words='' user=${uidOf(number)}
    ${advice}
    ${functions}`
}
