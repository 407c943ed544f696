import { type Script, sh } from '../../lib/sh.ts'

/** Only images that were built for this bot, and say so themselves; the newest come first in the list. */
export function forgetImages(bot: string, kept: readonly string[], keep: number): Script {
  return sh`
    docker image ls --filter ${`label=botgarden.bot=${bot}`} --format '{{.Repository}}:{{.Tag}}' | grep -vxF ${kept.flatMap((each) => ['-e', each])} |
      tail -n +${keep + 1} | xargs -r docker image rm >/dev/null 2>&1 || :`
}
