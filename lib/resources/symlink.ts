import { lineEach } from '../model/kinds.ts'
import { type Kind, type Reading, reading } from '../model/reading.ts'
import { becomes, type Resource, resource } from '../model/resource.ts'
import { hiddenCandidate } from '../shell/install-file.ts'
import { sh } from '../shell/sh.ts'
import { HostError } from '../std/errors.ts'
import { fileState } from './file-state.ts'

/** Where a symbolic link points, as it is written there; undefined where there is no link. */
export function linkTarget(path: string): Reading<string | undefined> {
  return reading(links, path)
}

/** A symbolic link to this target, which appears at once and replaces a file, but no directory. */
export function symlink(path: string, target: string): Resource {
  const now = linkTarget(path)
  return resource({
    id: `symlink:${path}`,
    wants: target,
    reads: { now, there: fileState(path) },
    plan: ({ now: found, there }) => {
      if (found === target) return []
      if (there !== 'absent' && there.type === 'directory')
        throw new HostError(`${path}: should be a link to ${target} and is a directory: move it away`)
      const candidate = hiddenCandidate(path)
      const summary = there === 'absent' ? `create, to ${target}` : `${found ?? `a ${there.type}`} → ${target}`
      const link = { type: 'symbolic link', mode: '0777', owner: 'root', group: 'root' }
      const script = sh`rm -f ${candidate}; ln -s -- ${target} ${candidate}; mv -fT ${candidate} ${path}`
      return [{ summary, script, predicts: [becomes(now, target), becomes(fileState(path), link)] }]
    },
  })
}

const links: Kind<string | undefined> = {
  name: 'link',
  script: (paths) => sh`for path in ${paths}; do readlink -n -- "$path"; printf '\0'; done`,
  parse: lineEach((target) => target || undefined, '\0'),
}
