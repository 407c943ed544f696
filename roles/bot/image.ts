import { stateDir } from '../../lib/model/host-layout.ts'
import type { Resource } from '../../lib/model/resource.ts'
import { imageBy, pulledImage } from '../../lib/resources/image.ts'
import { sh } from '../../lib/shell/sh.ts'
import { clientFolder, registryLogins } from './registry-login.ts'
import { type Context, isLarge } from './spec/build-context.ts'
import type { Deployment } from './spec/deployment.ts'
import { archiveOf, contextPath } from './spec/layout.ts'

/** The image of a delivery on the host. */
export function delivered(bot: string, delivery: Deployment | undefined): Resource[] {
  if (delivery === undefined) return []
  const { pull, context, shipped, logins = [] } = delivery
  const { image } = delivery.spec
  // The folder is there, or the logins of nobody are asked for: an empty one does no harm.
  if (pull) return [...registryLogins(logins), pulledImage(image, { config: clientFolder(image) })]
  if (context === undefined) return []
  return [shipped ? loaded(bot, image) : built(bot, image, context)]
}

/** Built elsewhere, and laid on the host beforehand. */
function loaded(bot: string, image: string): Resource {
  const script = sh`docker load --quiet --input ${archiveOf(bot)}; rm -f ${archiveOf(bot)}`
  return imageBy(image, 'load, as it was built elsewhere', script)
}

/** Built on the host that runs it. The tag is of everything that goes into it: what is there is never built again. */
function built(bot: string, image: string, context: Context): Resource {
  const { text } = sh`
    archive=${contextPath(bot)} folder=${stateDir}/build
    rm -rf "$folder"
    mkdir -m 0700 "$folder"
    trap 'rm -rf "$folder" "$archive"' EXIT
    ${isLarge(context) ? sh`tar -xzf "$archive" -C "$folder"` : sh`printf %s ${context.archive} | base64 -d | tar -xz -C "$folder"`}
    docker build --progress plain --label ${`botgarden.bot=${bot}`} --tag ${image} "$folder" 2>&1`
  const shown = `docker build --tag ${image} .`
  return imageBy(image, `build, from ${context.files} files`, { text, shown })
}
