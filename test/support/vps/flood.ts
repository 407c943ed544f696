// A playbook whose only step is long and prints what is asked of it.
import * as v from 'valibot'
import { play } from '../../../lib/cli/play.ts'
import { becomes, resource } from '../../../lib/model/resource.ts'
import { role } from '../../../lib/model/role.ts'
import { fileState } from '../../../lib/resources/file-state.ts'

const mark = '/run/flooded'

const flood = role('flood', v.strictObject({ script: v.string() }), ({ script }) => {
  const text = `${script}\n: >${mark}`
  const change = {
    summary: 'print',
    script: { text, shown: text },
    long: true,
    predicts: [becomes(fileState(mark), { type: 'file', mode: '0644', owner: 'root', group: 'root' })],
  }
  return [
    resource({
      id: 'flood',
      wants: script,
      reads: { state: fileState(mark) },
      plan: ({ state }) => (state === 'absent' ? [change] : []),
    }),
  ]
})

await play({ name: 'flood', summary: 'prints', roles: [flood], allRoles: [flood], sandboxUp: async () => {} })
