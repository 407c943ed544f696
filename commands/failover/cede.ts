import { type Script, sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'
import { layoutOf } from '../../roles/bot/spec/layout.ts'
import { type Place, placeLayout } from '../../roles/bot/spec/place.ts'
import { removeContainers, writePlace } from '../move/new-host.ts'
import { decide } from '../move/old-host/index.ts'

const script = shellFile(new URL('cede.sh', import.meta.url))

/** Shell text: a host that was stopped gives a bot away, as after a move: what it had stays there, stopped and whole. */
export function cedeScript(bot: string, place: Place): Script {
  return sh`
    bot=${bot} place=${JSON.stringify(place)} state=${layoutOf(bot).state}
    ${decide}
    ${script}`
}

/** Shell text: a host keeps all of a bot for the one that serves it, and has nothing of it that could be started. */
export function keepScript(bot: string, place: Place): Script {
  return sh`
    ${removeContainers(bot)}
    ${writePlace(bot, { ...place, standby: true })}
    rm -f ${placeLayout(bot).released}`
}
