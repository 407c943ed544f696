import { HostError } from './errors.ts'
import { attributeChanges } from './file.ts'
import { type FileState, fileState, isEmpty } from './file-state.ts'
import { becomes, type Prediction, type Resource, resource } from './resource.ts'
import { sh } from './sh.ts'

/**
 * A secret that the host makes for itself and keeps: 256 random bits as 43 characters of base64url, without a line break.
 * Nobody but the host ever knows it; what is there is never made anew, unless it is empty. `whenMade`: what no longer fits a new one.
 */
export function generatedSecret(
  path: string,
  { owner = 'root', whenMade = [] }: { owner?: string; whenMade?: readonly Prediction[] } = {},
): Resource {
  const wanted = { mode: '0400', owner, group: owner }
  const inner = resource({
    id: `secret:${path}`,
    wants: wanted,
    reads: { now: fileState(path) },
    plan: ({ now }) => {
      const after: FileState = { type: 'file', ...wanted }
      const predicts = [becomes(fileState(path), after)]
      if (now === 'absent' || isEmpty(now)) {
        const candidate = `${path}.new`
        const script = sh`
          (umask 077; head -c 32 /dev/urandom | base64 --wrap=0 | tr '+/' '-_' | tr -d '=' >${candidate})
          [ "$(stat -c %s ${candidate})" = 43 ]
          chown ${`${owner}:${owner}`} ${candidate}
          chmod 0400 ${candidate}
          sync ${candidate}
          mv -fT ${candidate} ${path}`
        return [{ summary: 'generate', script, predicts: [...predicts, ...whenMade] }]
      }
      if (now.type !== 'file') throw new HostError(`${path}: should be a file and is a ${now.type}: move it away`)
      const attributes = attributeChanges(now, wanted)
      if (attributes.length === 0) return []
      const script = sh`chown ${`${owner}:${owner}`} ${path}; chmod 0400 ${path}`
      return [{ summary: attributes.join(', '), script, predicts, diff: () => attributes.join('\n') }]
    },
  })
  return { ...inner, credential: path }
}
