import { type Script, sh } from '../../../lib/shell/sh.ts'
import { currentRecords, placesOf } from '../spec/layout.ts'

/**
 * Of the images of a bot's releases the newest stay, besides those that are named, and what any bot's release of now needs.
 * What was built for it says so itself, and goes even where no release came of it; what was pulled only the releases know.
 */
export function forgetImages(bot: string, kept: readonly string[], keep: number): Script {
  return sh`
    { tac ${placesOf(bot).state}/releases | ${imagesOf()}
      docker image ls --filter ${`label=botgarden.bot=${bot}`} --format '{{.Repository}}:{{.Tag}}'; } | awk '!seen[$0]++' |
      grep -vxF ${kept.flatMap((each) => ['-e', each])} |
      while read -r image; do ! docker image inspect -- "$image" >/dev/null 2>&1 || echo "$image"; done | tail -n +${keep + 1} |
      while read -r image; do ${forget()}; done || :`
}

/** All of them, when the bot is taken off its host. */
export function forgetAllImages(bot: string): Script {
  return sh`
    docker image ls --quiet --filter ${`label=botgarden.bot=${bot}`} | sort -u | xargs -r docker image rm -f >/dev/null 2>&1 || :
    ${imagesOf()} ${placesOf(bot).state}/releases 2>/dev/null | sort -u | while read -r image; do ${forget()}; done || :`
}

function imagesOf(): Script {
  return sh`sed -n 's/.*"spec":{"image":"\([^"]*\)".*/\1/p'`
}

// Without --force, by which the engine refuses what a container uses. Two bots may share an image.
function forget(): Script {
  return sh`${imagesOf()} ${currentRecords} | grep -qxF -e "$image" || docker image rm "$image" >/dev/null 2>&1 || :`
}
