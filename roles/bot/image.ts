import { stateDir } from '../../lib/model/host-layout.ts'
import type { Resource } from '../../lib/model/resource.ts'
import { imageBy, pulledImage } from '../../lib/resources/image.ts'
import { sh } from '../../lib/shell/sh.ts'
import { dockerConfigFolder, registryLogins } from './registry-login.ts'
import { type BuildContext, isLarge } from './spec/build-context.ts'
import type { Deployment } from './spec/deployment.ts'
import { contextArchivePath, imageArchivePath } from './spec/layout.ts'

/** The image of a deployment: pulled, loaded or built on the host. Nothing where it must be there already (a rollback). */
export function botImage(bot: string, deployment: Deployment | undefined): Resource[] {
  if (deployment === undefined) return []
  const { pull, context, shipped, logins = [] } = deployment
  const { image } = deployment.spec
  // Without a login for this registry the folder does not exist, and Docker's client pulls anonymously.
  if (pull) return [...registryLogins(logins), pulledImage(image, { config: dockerConfigFolder(image) })]
  if (context === undefined) return []
  return [shipped ? loadedImage(bot, image) : builtImage(bot, image, context)]
}

/** Loaded from the archive that `bot.ts --build local` has uploaded. */
function loadedImage(bot: string, image: string): Resource {
  const script = sh`docker load --quiet --input ${imageArchivePath(bot)}; rm -f ${imageArchivePath(bot)}`
  return imageBy(image, 'load the image built by --build local', script)
}

/** Built on the host. The tag is a checksum of the build context, so an image that exists is never built again. */
function builtImage(bot: string, image: string, context: BuildContext): Resource {
  const { text } = sh`
    archive=${contextArchivePath(bot)} folder=${stateDir}/build
    rm -rf "$folder"
    mkdir -m 0700 "$folder"
    trap 'rm -rf "$folder" "$archive"' EXIT
    ${isLarge(context) ? sh`tar -xzf "$archive" -C "$folder"` : sh`printf %s ${context.archive} | base64 -d | tar -xz -C "$folder"`}
    docker build --progress plain --label ${`botgarden.bot=${bot}`} --tag ${image} "$folder" 2>&1`
  const shown = `docker build --tag ${image} .`
  return imageBy(image, `build, from ${context.files} files`, { text, shown })
}
