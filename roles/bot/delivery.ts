import { imageThere, pulledImage } from '../../lib/image.ts'
import { becomes, type Resource, resource } from '../../lib/resource.ts'
import type { Secret } from '../../lib/secret.ts'
import { sh } from '../../lib/sh.ts'
import type { Context } from './context.ts'
import type { Manifest } from './settings.ts'
import type { Spec } from './spec.ts'

/** What a deploy brings to a host. */
export interface Delivery {
  readonly spec: Spec
  readonly manifest: Manifest
  /** What the image is built from; without it the image is there, or is pulled. */
  readonly context: Context | undefined
  readonly pull: boolean
  /** Given now; without it the host keeps what it has. */
  readonly token: Secret | undefined
  readonly secrets: ReadonlyMap<string, Secret | undefined>
  /** `ops@laptop` */
  readonly by: string
}

/** The image of a delivery on the host. */
export function delivered(bot: string, delivery: Delivery | undefined): Resource[] {
  if (delivery === undefined) return []
  if (delivery.pull) return [pulledImage(delivery.spec.image)]
  return delivery.context === undefined ? [] : [built(bot, delivery.spec.image, delivery.context)]
}

/** Built on the host that runs it. The tag is of everything that goes into it: what is there is never built again. */
function built(bot: string, image: string, { archive, files }: Context): Resource {
  const now = imageThere(image)
  return resource({
    id: `image:${image}`,
    wants: 'there',
    reads: { now },
    plan: ({ now: there }) => {
      if (there) return []
      const { text } = sh`
        folder=$(mktemp -d /var/lib/botgarden/build.XXXXXX)
        trap 'rm -rf "$folder"' EXIT
        printf %s ${archive} | base64 -d | tar -xz -C "$folder"
        docker build --progress plain --label ${`botgarden.bot=${bot}`} --tag ${image} "$folder" 2>&1`
      const summary = `build, from ${files} files`
      return [
        {
          summary,
          script: { text, shown: `docker build --tag ${image} .` },
          long: true,
          predicts: [becomes(now, true)],
        },
      ]
    },
  })
}
