import { type Script, sh } from '../../../../lib/shell/sh.ts'
import { shellFile } from '../../../../lib/shell/shell-file.ts'
import { layoutOf } from '../../spec/layout.ts'

const functions = shellFile(new URL('kept-log.sh', import.meta.url))

/**
 * Shell text: the function `remove_containers CONTAINER…`, for containers of this bot: the engine's own log of one goes with it, so
 * that is kept before.
 */
export function keepLogFunctions(bot: string): Script {
  return sh`
    kept_logs=${keptLogs(bot)}
    ${functions}`
}

/** The folder with the logs of containers that are gone: `CONTAINER.log` without the colour, lines `TIME CONTAINER TEXT`. */
export function keptLogs(bot: string): string {
  return `${layoutOf(bot).state}/logs`
}
