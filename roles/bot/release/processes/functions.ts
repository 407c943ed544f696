import { type Script, sh } from '../../../../lib/shell/sh.ts'
import { shellFile } from '../../../../lib/shell/shell-file.ts'
import type { ProcessService } from './compose-file.ts'

const functions = shellFile(new URL('processes.sh', import.meta.url))

/** Shell functions about these containers, beside the one of the bot itself in `$new`: `await_processes`, `settle_all`, … */
export function processFunctions(services: readonly ProcessService[]): Script {
  const calls = services
    .map(({ container, address, url = '' }) => sh`"$@" ${container} ${address} ${url}`)
    .reduce((before, each) => sh`${before} && ${each}`, sh`:`)
  const state = '{{.Name}} {{.State.Running}} {{.RestartCount}}'
  return sh`
    failed='' failed_url=''
    each_process() { ${calls}; }
    states_of_all() { docker container inspect --format ${state} "$new" ${containersOf(services)} 2>/dev/null; }
    ${functions}`
}

export function containersOf(services: readonly ProcessService[]): string[] {
  return services.map(({ container }) => container)
}
