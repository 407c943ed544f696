import { type Script, sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'
import type { Place } from '../../roles/bot/spec/place.ts'

const script = shellFile(new URL('cede.sh', import.meta.url))

/** Shell text: a host that was stopped gives a bot away, as after a move: what it had stays there, stopped and whole. */
export function cedeScript(bot: string, place: Place): Script {
  return sh`
    bot=${bot} place=${JSON.stringify(place)}
    ${script}`
}
