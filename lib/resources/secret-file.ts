import { becomes, type Prediction, type Resource, resource } from '../model/resource.ts'
import { installFile } from '../shell/install-file.ts'
import { type Script, sh } from '../shell/sh.ts'
import { HostError } from '../std/errors.ts'
import type { Secret } from '../std/secret.ts'
import { sha256Of } from '../std/sha256.ts'
import { attributeChanges } from './file.ts'
import { type FileState, fileState, isEmpty } from './file-state.ts'

/**
 * A file with a secret that only its user can read. Without a given value the host keeps what it has. The plan throws a
 * `HostError` where there is neither.
 */
export function secretFile(
  path: string,
  user: string,
  given: Secret | undefined,
  { id, check, missing, whenChanged = [] }: SecretFileOptions,
): Resource {
  const wanted = { mode: '0400', owner: user, group: user }
  const sha256 = given && sha256Of(given.reveal())
  return resource({
    id,
    // The checksum, never the value: it tells two wants apart.
    wants: { path, sha256 },
    reads: { now: fileState(path) },
    plan: ({ now }) => {
      if ((now === 'absent' || isEmpty(now)) && given === undefined) throw new HostError(missing)
      const after: FileState = {
        type: 'file',
        ...wanted,
        ...(now !== 'absent' && now),
        ...(sha256 && { sha256 }),
        mode: '0400',
        owner: user,
        group: user,
      }
      const predicts = [becomes(fileState(path), after)]
      if (given !== undefined && (now === 'absent' || now.sha256 !== sha256)) {
        const write = sh`printf %s ${given} >"$candidate"`
        const { text } = installFile(path, { owner: `${user}:${user}`, mode: '0400', write, check })
        const summary = now === 'absent' ? 'install' : 'rotate'
        return [{ summary, script: { text, shown: `write ${path}` }, predicts: [...predicts, ...whenChanged] }]
      }
      const attributes = now === 'absent' ? [] : attributeChanges(now, wanted)
      if (attributes.length === 0) return []
      const script = sh`chown ${`${user}:${user}`} ${path}; chmod 0400 ${path}`
      return [{ summary: attributes.join(', '), script, predicts }]
    },
  })
}

interface SecretFileOptions {
  readonly id: string
  /** Shell text: exits with 1 if the new value, in the file `$candidate`, must not be used. */
  readonly check: Script
  /** The error where neither the operator nor the host has a value. */
  readonly missing: string
  /** What else changes with the value. */
  readonly whenChanged?: readonly Prediction[]
}
