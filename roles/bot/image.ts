import type { Facts } from '../../lib/model/facts.ts'
import { runDir, stateDir } from '../../lib/model/host-layout.ts'
import type { Resource } from '../../lib/model/resource.ts'
import { imageBy, pulledImage } from '../../lib/resources/image.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { dockerConfigFolder, registryLogins } from './registry-login.ts'
import { type BuildContext, isLarge } from './spec/build-context.ts'
import { buildsOf, type Deployment } from './spec/deployment.ts'
import { contextArchivePath, imageArchivePath } from './spec/layout.ts'

/** The images of a deployment: pulled, loaded or built on the host. Nothing where they must be there already (a rollback). */
export function botImage(deployment: Deployment | undefined, facts: BuildFacts): Resource[] {
  if (deployment === undefined) return []
  const { pull, shipped, logins = [] } = deployment
  const { image } = deployment.spec
  // Without a login for this registry the folder does not exist, and Docker's client pulls anonymously.
  if (pull) return [...registryLogins(logins), pulledImage(image, { config: dockerConfigFolder(image) })]
  return buildsOf(deployment).map((each) =>
    shipped ? loadedImage(each.image, each.context) : builtImage(each.image, each.context, facts),
  )
}

type BuildFacts = Pick<Facts, 'cpus' | 'memoryMiB'>

/** The label of an image with the checksum of what it was built from. */
export function contextLabel({ checksum }: BuildContext): string {
  return `botgarden.context=${checksum}`
}

/** Loaded from the archive that `bot.ts --build local` has uploaded. */
function loadedImage(image: string, context: BuildContext): Resource {
  const archive = imageArchivePath(context)
  // It has the name that another bot of the same context gave it.
  const load = sh`
    docker load --quiet --input ${archive}
    docker tag "$(docker image ls --quiet --filter ${`label=${contextLabel(context)}`} | head -n 1)" ${image}
    rm -f ${archive}`
  const { text } = oncePerContext(image, context, load, 0)
  return imageBy(image, 'load the image built by --build local', { text, shown: `docker load --input ${archive}` })
}

/**
 * Built on the host. The tag is a checksum of the build context, so an image that exists is never built again. Bots with the same
 * context have the same image, each by a name of its own.
 */
function builtImage(image: string, context: BuildContext, { cpus, memoryMiB }: BuildFacts): Resource {
  // A build may take a processor and 1 GB for itself. The same context always has the same turn.
  const turns = Math.max(1, Math.min(cpus, Math.floor(memoryMiB / 900)))
  const turn = Number.parseInt(context.checksum.slice(0, 8), 16) % turns
  const build = sh`
    archive=${contextArchivePath(context)} folder=${stateDir}/build/${turn}
    rm -rf "$folder"
    (umask 077; mkdir -p "$folder")
    trap 'rm -rf "$folder"' EXIT
    # All is from 1970 in there: BuildKit would take a file of the same size for the one that it was sent the last time.
    ${isLarge(context) ? sh`tar -xzmf "$archive" -C "$folder"` : sh`printf %s ${context.archive} | base64 -d | tar -xzm -C "$folder"`}
    ${context.options.length === 0 ? sh`:` : sh`cd "$folder"`}
    docker build --progress plain --label ${contextLabel(context)} --tag ${image} ${context.options} "$folder" 2>&1
    rm -f "$archive"`
  const { text } = oncePerContext(image, context, build, turn)
  const shown = `docker build --tag ${image} .`
  return imageBy(image, `build, from ${context.files} files`, { text, shown })
}

/** Shell text that makes an image, unless there is one of the same context: then it gets this name too. Turns follow each other. */
function oncePerContext(image: string, context: BuildContext, make: Script, turn: number): Script {
  return sh`
    exec 7>>${runDir}/build-${turn}.lock
    flock 7
    same=$(docker image ls --quiet --filter ${`label=${contextLabel(context)}`} | head -n 1)
    if [ -n "$same" ]; then
      docker tag "$same" ${image}
      exit
    fi
    ${make}`
}
