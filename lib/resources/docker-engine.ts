import { type Kind, Untold } from '../model/reading.ts'
import { sh } from '../shell/sh.ts'
import { shellFile } from '../shell/shell-file.ts'

/** The resource that starts the container engine. */
export const engineUnit = 'unit:docker.service'

/**
 * Shell text for a reading that has found nothing by Docker: prints a line where the engine is installed and silent. Nothing
 * is then taken for absent: its containers may still run.
 */
export const engineSilence = sh`! command -v dockerd >/dev/null || docker version >/dev/null 2>&1 || echo 'engine silent'`

/** Shell function: `engine_ask PATH...` prints what the engine answers to GET requests, a line each; fails where it is silent. */
export const engineAsk = shellFile(new URL('engine-ask.sh', import.meta.url))

/** Shell function: `engine_post PATH` sends what comes by stdin; prints why where the engine refuses it, and fails. */
export const enginePost = shellFile(new URL('engine-post.sh', import.meta.url))

/** The parser of a kind whose script ends with that: no state is known where the engine is silent. */
export function unlessSilent<State>(parse: Kind<State>['parse']): Kind<State>['parse'] {
  return (output, names) =>
    /^engine silent$/m.test(output) ? new Map(names.map((name) => [name, silence])) : parse(output, names)
}

const silence = new Untold(
  'Docker does not answer: site.ts starts it where it is stopped; else see "systemctl status docker" on the host',
  engineUnit,
)
