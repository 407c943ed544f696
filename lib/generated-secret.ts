import { HostError } from './errors.ts'
import { attributeChanges } from './file.ts'
import { type FileState, fileState } from './file-state.ts'
import { becomes, type Resource, resource } from './resource.ts'
import { type Script, sh } from './sh.ts'

/**
 * A secret that the host makes for itself and keeps: 256 random bits as 43 characters of base64url, without a line break.
 * Nobody but the host ever knows it; what is there is never made anew.
 */
export function generatedSecret(path: string, { owner = 'root' } = {}): Resource {
  return { ...generatedFile(path, randomText, { owner }), credential: path }
}

/** A private file that `make` writes on the host, once: what is there is never made anew. */
export function generatedFile(path: string, make: (candidate: string) => Script, { owner = 'root' } = {}): Resource {
  const wanted = { mode: '0400', owner, group: owner }
  return resource({
    id: `secret:${path}`,
    wants: wanted,
    reads: { now: fileState(path) },
    plan: ({ now }) => {
      const after: FileState = { type: 'file', ...wanted }
      const predicts = [becomes(fileState(path), after)]
      if (now === 'absent') {
        const candidate = `${path}.new`
        const script = sh`
          ${make(candidate)}
          chown ${`${owner}:${owner}`} ${candidate}
          chmod 0400 ${candidate}
          sync ${candidate}
          mv -fT ${candidate} ${path}`
        return [{ summary: 'generate', script, predicts }]
      }
      if (now.type !== 'file') throw new HostError(`${path}: should be a file and is a ${now.type}: move it away`)
      const attributes = attributeChanges(now, wanted)
      if (attributes.length === 0) return []
      const script = sh`chown ${`${owner}:${owner}`} ${path}; chmod 0400 ${path}`
      return [{ summary: attributes.join(', '), script, predicts, diff: () => attributes.join('\n') }]
    },
  })
}

function randomText(candidate: string): Script {
  return sh`
    (umask 077; head -c 32 /dev/urandom | base64 --wrap=0 | tr '+/' '-_' | tr -d '=' >${candidate})
    [ "$(stat -c %s ${candidate})" = 43 ]`
}
