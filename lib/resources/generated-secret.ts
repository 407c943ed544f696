import { becomes, type Prediction, type Resource, resource } from '../model/resource.ts'
import { type Installation, installFile } from '../shell/install-file.ts'
import { sh } from '../shell/sh.ts'
import { HostError } from '../std/errors.ts'
import { attributeChanges } from './file.ts'
import { type FileState, fileState, isEmpty } from './file-state.ts'

/**
 * A secret that the host makes for itself and keeps: 256 random bits as 43 characters of base64url, without a line break.
 * It never leaves the host, and is not regenerated unless it is empty. `whenMade`: what a new one changes besides.
 */
export function generatedSecret(path: string, options: Options = {}): Resource {
  return { ...generatedFile(path, randomText, options), credential: path }
}

interface Options {
  readonly owner?: string
  readonly whenMade?: readonly Prediction[]
}

/** A private file that is written on the host, once: it is not written again unless it is empty. */
export function generatedFile(
  path: string,
  { write, check }: Pick<Installation, 'write' | 'check'>,
  { owner = 'root', whenMade = [] }: Options = {},
): Resource {
  const wanted = { mode: '0400', owner, group: owner }
  return resource({
    id: `secret:${path}`,
    wants: wanted,
    reads: { now: fileState(path) },
    plan: ({ now }) => {
      const after: FileState = { type: 'file', ...wanted }
      const predicts = [becomes(fileState(path), after)]
      if (now === 'absent' || isEmpty(now)) {
        const script = installFile(path, { owner: `${owner}:${owner}`, mode: '0400', write, ...(check && { check }) })
        return [{ summary: 'generate', script, predicts: [...predicts, ...whenMade] }]
      }
      if (now.type !== 'file') throw new HostError(`${path}: should be a file and is a ${now.type}: move it away`)
      const attributes = attributeChanges(now, wanted)
      if (attributes.length === 0) return []
      const script = sh`chown ${`${owner}:${owner}`} ${path}; chmod 0400 ${path}`
      return [{ summary: attributes.join(', '), script, predicts, diff: () => attributes.join('\n') }]
    },
  })
}

/** Writes such a secret to the file `$candidate`. */
export const randomText = {
  write: sh`head -c 32 /dev/urandom | base64 --wrap=0 | tr '+/' '-_' | tr -d '=' >"$candidate"`,
  check: sh`[ "$(stat -c %s "$candidate")" = 43 ]`,
}
