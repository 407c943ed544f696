import { lineEach } from '../model/kinds.ts'
import { type Kind, type Reading, reading } from '../model/reading.ts'
import { becomes, type Resource, resource } from '../model/resource.ts'
import { sh } from '../shell/sh.ts'
import { HostError } from '../std/errors.ts'

export type GroupState = 'absent' | { readonly gid: number }

export function groupState(name: string): Reading<GroupState> {
  return reading(groups, name)
}

/** A group. It needs a fixed `gid` where files are shared by number, as with a container. */
export function group(name: string, { gid }: { gid?: number } = {}): Resource {
  const now = groupState(name)
  return resource({
    id: `group:${name}`,
    wants: { gid },
    reads: { now },
    plan: ({ now: state }) => {
      if (state !== 'absent') {
        if (gid === undefined || state.gid === gid) return []
        // Files that belong to the old number would change hands.
        throw new HostError(`group ${name} has the number ${state.gid} and should have ${gid}: renumber it by hand`)
      }
      const number = gid === undefined ? [] : ['--gid', gid]
      return [
        { summary: 'create', script: sh`groupadd ${number} ${name}`, predicts: [becomes(now, { gid: gid ?? 1000 })] },
      ]
    },
  })
}

const groups: Kind<GroupState> = {
  name: 'group',
  script: (names) => sh`for name in ${names}; do getent group "$name" || echo; done`,
  parse: lineEach((line) => (line === '' ? 'absent' : { gid: Number(line.split(':')[2]) })),
}
