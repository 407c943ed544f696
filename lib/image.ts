import { type Kind, type Reading, reading } from './reading.ts'
import { becomes, type Resource, resource } from './resource.ts'
import { sh } from './sh.ts'

/** Whether the engine has an image of this name. */
export function imageThere(name: string): Reading<boolean> {
  return reading(imagesThere, name)
}

/**
 * An image from a registry. An exact version is pulled once: it is not looked for again where it is there. `config`: the
 * folder on the host with the client's logins.
 */
export function pulledImage(name: string, { config = '' } = {}): Resource {
  const now = imageThere(name)
  return resource({
    id: `image:${name}`,
    wants: 'there',
    reads: { now },
    plan: ({ now: there }) =>
      there
        ? []
        : [
            {
              summary: 'pull',
              script: sh`docker ${config === '' ? [] : ['--config', config]} pull --quiet ${name}`,
              long: true,
              predicts: [becomes(now, true)],
            },
          ],
  })
}

const imagesThere: Kind<boolean> = {
  name: 'image',
  script: (names) => sh`docker image inspect --format '{{join .RepoTags " "}}' -- ${names} 2>/dev/null || :`,
  parse: (output, names) => {
    const there = new Set(output.split(/\s+/))
    return new Map(names.map((name) => [name, there.has(name)]))
  },
}
