import { mapChanges } from '../model/combinators.ts'
import { lineEach } from '../model/kinds.ts'
import { type Kind, type Reading, reading } from '../model/reading.ts'
import { becomes, type Resource, resource } from '../model/resource.ts'
import { type Script, sh } from '../shell/sh.ts'
import { engineAsk, engineSilence, unlessSilent } from './docker-engine.ts'

/** What the engine says of an image. */
export type ImageState =
  | 'absent'
  | {
      /**
       * The paths of VOLUME in its Dockerfile: every container gets a volume for each, unless told otherwise. Undefined
       * where the image was only just loaded.
       */
      readonly volumes: readonly string[] | undefined
    }

export function imageState(name: string): Reading<ImageState> {
  return reading(images, name)
}

/**
 * An image from a registry. An exact version is pulled once: it is not looked for again where it is there. `config`: the
 * folder on the host with the client's logins.
 */
export function pulledImage(name: string, { config = '' } = {}): Resource {
  if (config !== '') return imageBy(name, 'pull', sh`docker --config ${config} pull --quiet ${name}`)
  const batch = { name: 'pull', item: name, script: pullScript }
  const pulled = mapChanges(imageBy(name, 'pull', pullScript([name])), (change) => ({ ...change, batch }))
  return { ...pulled, joins: batch.name }
}

/** All at once; it ends when the last one has, also where one fails. */
function pullScript(names: readonly string[]): Script {
  const { text } = sh`
    pulls='' failed=0
    for name in ${names}; do
      docker pull --quiet "$name" &
      pulls="$pulls $!"
    done
    for pull in $pulls; do wait "$pull" || failed=$?; done
    ( exit "$failed" )`
  return { text, shown: names.map((name) => `docker pull --quiet ${name}`).join(' & ') }
}

/** An image that this script pulls, loads or builds where it is not there yet. */
export function imageBy(name: string, summary: string, script: Script): Resource {
  const now = imageState(name)
  return resource({
    id: `image:${name}`,
    wants: 'there',
    reads: { now },
    plan: ({ now: state }) => {
      if (state !== 'absent') return []
      return [{ summary, script, long: true, predicts: [becomes(now, { volumes: undefined })] }]
    },
  })
}

const images: Kind<ImageState> = {
  name: 'image',
  // By name: the tags that the engine lists have no digest, and no name with a registry.
  script: (names) => sh`
    ${engineAsk}
    engine_ask ${names.map((name) => `/images/${name}/json`)} || ${engineSilence}`,
  parse: unlessSilent(lineEach(stateOf)),
}

/** What the engine answers; an error has none of it. */
interface EngineImage {
  readonly Id?: string
  readonly Config?: { readonly Volumes?: Readonly<Record<string, unknown>> | null }
}

function stateOf(answer: string): ImageState {
  const { Id, Config }: EngineImage = answer === '' ? {} : JSON.parse(answer)
  return Id === undefined ? 'absent' : { volumes: Object.keys(Config?.Volumes ?? {}) }
}
