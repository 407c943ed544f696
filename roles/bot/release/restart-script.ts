import { type Script, sh } from '../../../lib/shell/sh.ts'
import { placesOf } from '../spec/layout.ts'
import type { Release } from '../spec/release-record.ts'
import type { Limits } from '../spec/spec.ts'
import { type BotInstance, serviceFile } from './compose-file.ts'
import { healthFunctions } from './health-check.ts'
import { edgeFunctions } from './nginx-route.ts'

interface Wrong {
  /** It does not run, or not as its release says. */
  readonly start: boolean
  /** No boot brings it back. */
  readonly bind: boolean
}

/**
 * Has the version that is recorded serve, now and after a boot, and nothing beside it. One that is not bound to the boot may
 * have been brought up by hand, from whatever its file said: compose makes it anew where that is not what ours says.
 */
export function startAgain(seat: BotInstance, current: Release, limits: Limits, { start, bind }: Wrong): Script {
  const places = placesOf(seat.bot)
  const { text, file, name } = serviceFile(seat, current.colour, current.spec, limits)
  const idle = places.container(current.colour === 'blue' ? 'green' : 'blue')
  const polls = current.spec.mode === 'polling'
  const removeIdle = sh`docker rm -f --volumes ${idle} >/dev/null 2>&1 || :`
  const up = sh`
    mkdir -p ${places.compose}
    printf %s ${Buffer.from(text).toString('base64')} | base64 -d | tee ${`${file}.new`} >/dev/null
    mv -fT ${`${file}.new`} ${file}
    docker compose -f ${file} up --detach --no-build --pull never --quiet-pull 2>&1 || { report_holder; exit 1; }
    docker update --restart always "$new" >/dev/null`
  const again = sh`
    docker image inspect -- ${current.spec.image} >/dev/null || {
      echo ${`the image of ${seat.bot} is not on this host any more: npx zx playbooks/bot.ts --name ${seat.bot} brings it again`}
      exit 1
    }
    # Two that poll take the updates from each other.
    ${polls ? removeIdle : sh`:`}
    # One that restarts again and again is left alone by compose, and its restarts go on counting.
    docker stop --time 20 "$new" >/dev/null 2>&1 || :
    ${up}
    await_health || { report "$new"; exit 1; }`
  const script = sh`
    new=${name}
    ${healthFunctions(seat, current.colour, current.spec)}
    ${edgeFunctions(seat, current.colour, current.spec, current)}
    ${start ? again : bind ? up : sh`:`}
    edge_is_back || edge_back
    ${removeIdle}`
  return { text: script.text, shown: start ? `docker compose -f ${file} up` : `docker rm -f ${idle}` }
}
