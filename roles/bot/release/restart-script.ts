import { type Script, sh } from '../../../lib/shell/sh.ts'
import { copiesFunctions } from '../data/copy.ts'
import { hasOneWriter } from '../data/layout.ts'
import type { BotInstance } from '../spec/instance.ts'
import { layoutOf } from '../spec/layout.ts'
import type { Limits } from '../spec/limits.ts'
import type { Release } from '../spec/release-record.ts'
import { serviceFile } from './compose-file.ts'
import { healthFunctions } from './health-check.ts'
import { keepLogFunctions } from './logs/kept-log.ts'
import { routeFunctions } from './nginx-route.ts'
import { replicaSteps } from './replicas/steps.ts'
import { variablesFunction } from './variables.ts'

interface Repair {
  /** The container does not run, or not as its release says. */
  readonly start: boolean
  /** Its restart policy is not `always`, so no boot starts it. */
  readonly bind: boolean
}

/**
 * Shell text: has the recorded version serve, now and after a boot, and nothing beside it. A container without the restart
 * policy may have been started by hand: compose recreates it where it differs from our file.
 */
export function restartScript(
  instance: BotInstance,
  current: Release,
  limits: Limits,
  { start, bind }: Repair,
): Script {
  const layout = layoutOf(instance.bot)
  const { text, file, name } = serviceFile(instance, current.colour, current.spec, limits)
  const replicas = replicaSteps(instance, current.spec, current.spec, limits, 5)
  const idle = layout.container(current.colour === 'blue' ? 'green' : 'blue')
  const alone = current.spec.mode === 'polling' || hasOneWriter(current.spec)
  const removeIdle = sh`remove_containers ${idle}`
  const up = sh`
    mkdir -p ${layout.compose}
    printf %s ${Buffer.from(text).toString('base64')} | base64 -d | tee ${`${file}.new`} >/dev/null
    mv -fT ${`${file}.new`} ${file}
    # Where it differs from its file, Compose replaces it.
    keep_log "$new"
    ${replicas.network}
    with_variables docker compose -f ${file} up --detach --no-build --pull never --quiet-pull 2>&1 || { report_holder; exit 1; }
    docker update --restart always "$new" >/dev/null`
  const again = sh`
    docker image inspect -- ${current.spec.image} >/dev/null || {
      echo ${`the image of ${instance.bot} is no longer on this host: deploy it again: npx zx playbooks/bot.ts --name ${instance.bot}`}
      exit 1
    }
    # Two polling containers would take updates from each other, two writers spoil their data.
    ${alone ? removeIdle : sh`:`}
    # Compose leaves a container alone that keeps restarting, and its restart count goes on.
    docker stop --time 20 "$new" >/dev/null 2>&1 || :
    ${up}
    await_health || { report "$new"; report_log; exit 1; }`
  const script = sh`
    new=${name}
    ${keepLogFunctions(instance.bot)}
    ${healthFunctions(instance, current.colour, current.spec)}
    ${routeFunctions(instance, current, current)}
    ${start || bind ? variablesFunction(instance, current.colour, current.spec) : sh`:`}
    ${hasOneWriter(current.spec) ? sayInterrupted(instance.bot, idle) : sh`:`}
    ${start || bind ? replicas.functions : sh`:`}
    ${start ? again : bind ? up : sh`:`}
    route_is_restored || route_restore
    ${removeIdle}`
  return { text: script.text, shown: start ? `docker compose -f ${file} up` : `docker rm -f ${idle}` }
}

/** Shell text: where a release was cut off that had copied the data, its version may have written to it since. */
function sayInterrupted(bot: string, idle: string): Script {
  return sh`
    ${copiesFunctions(bot)}
    newest=$(data_copies | head -n 1)
    if [ -n "$newest" ] && docker container inspect ${idle} >/dev/null 2>&1 && ! grep -qF "\"copy\":\"$newest\"" ${`${layoutOf(bot).state}/releases`}; then
      echo ${`warning: a release of ${bot} was cut off, and its version may have written to the data; the data from before it is in`} "$newest"
    fi`
}
