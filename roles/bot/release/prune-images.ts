import { type Script, sh } from '../../../lib/shell/sh.ts'
import { currentRecords, layoutOf } from '../spec/layout.ts'

/**
 * Shell text: removes old images of a bot. It keeps the newest `keep`, as many of each process with images of its own, the `kept`
 * ones, and those of the current release of any bot. Images that were built here are found by their name, pulled ones in the
 * records of releases.
 */
export function pruneImages(bot: string, kept: readonly string[], keep: number): Script {
  return sh`
    { tac ${layoutOf(bot).state}/releases | ${imageInRecord()}
      ${builtImages(bot)}; } | awk '!seen[$0]++' |
      grep -vxF ${kept.flatMap((each) => ['-e', each])} |
      while read -r image; do ! docker image inspect -- "$image" >/dev/null 2>&1 || echo "$image"; done |
      awk -v own=${processImages(bot)} -v keep=${keep} '{ of = index($0, own) == 1 ? substr($0, 1, index($0, ":")) : "" } ++seen[of] > keep' |
      while read -r image; do ${removeUnused()}; done || :`
}

/** Shell text: removes all images of a bot that no other bot uses. */
export function removeAllImages(bot: string): Script {
  return sh`
    ${builtImages(bot)} | xargs -r docker image rm -f >/dev/null 2>&1 || :
    ${imageInRecord()} ${layoutOf(bot).state}/releases 2>/dev/null | sort -u | while read -r image; do ${removeUnused()}; done || :`
}

// By name, since bots with the same build context have one image under several names.
function builtImages(bot: string): Script {
  const named = ['--filter', `reference=${botImages(bot)}`, '--filter', `reference=${processImages(bot)}*`]
  return sh`docker image ls ${named} --format '{{.Repository}}:{{.Tag}}'`
}

/** The name of the images of a bot, which a tag follows. */
function botImages(bot: string): string {
  return `botgarden/${bot}`
}

/** How the names of its processes' images begin. No bot has a dot in its name. */
function processImages(bot: string): string {
  return `${botImages(bot)}.`
}

function imageInRecord(): Script {
  return sh`sed -n 's/.*"spec":{"image":"\([^"]*\)".*/\1/p'`
}

// Without --force, so that Docker refuses an image that a container uses. Two bots may share an image.
function removeUnused(): Script {
  return sh`${imageInRecord()} ${currentRecords} | grep -qxF -e "$image" || docker image rm "$image" >/dev/null 2>&1 || :`
}
