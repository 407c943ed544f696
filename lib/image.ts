import { type Kind, type Reading, reading } from './reading.ts'
import { becomes, type Resource, resource } from './resource.ts'
import { type Script, sh } from './sh.ts'

/** Whether the engine has an image of this name. */
export function imageThere(name: string): Reading<boolean> {
  return reading(imagesThere, name)
}

/**
 * An image from a registry. An exact version is pulled once: it is not looked for again where it is there. `config`: the
 * folder on the host with the client's logins.
 */
export function pulledImage(name: string, { config = '' } = {}): Resource {
  return imageBy(name, 'pull', sh`docker ${config === '' ? [] : ['--config', config]} pull --quiet ${name}`)
}

/** An image that this script brings where it is not there yet. */
export function imageBy(name: string, summary: string, script: Script): Resource {
  const now = imageThere(name)
  return resource({
    id: `image:${name}`,
    wants: 'there',
    reads: { now },
    plan: ({ now: there }) => (there ? [] : [{ summary, script, long: true, predicts: [becomes(now, true)] }]),
  })
}

const imagesThere: Kind<boolean> = {
  name: 'image',
  // One by one: a digest, or a name with its registry, is not among the tags that the engine tells.
  script: (names) =>
    sh`for name in ${names}; do docker image inspect -- "$name" >/dev/null 2>&1 && echo yes || echo no; done`,
  parse: (output, names) => {
    const answers = output.split('\n')
    return new Map(names.map((name, i) => [name, answers[i] === 'yes']))
  },
}
