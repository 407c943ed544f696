// A playbook that cuts the operator off, in a way that no plan could foresee: what the guard is for.
import * as v from 'valibot'
import { play } from '../../../lib/cli/play.ts'
import { guarded } from '../../../lib/model/combinators.ts'
import { becomes, type Guard, resource } from '../../../lib/model/resource.ts'
import { role } from '../../../lib/model/role.ts'
import { fileState } from '../../../lib/resources/file-state.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { guard as sshd } from '../../../roles/base/sshd.ts'

const ufw: Guard = { name: 'ufw', paths: ['/etc/ufw', '/etc/default/ufw'], restore: sh`ufw reload` }
const mark = '/etc/ssh/sshd_config.d/00-cut-off.conf'
const sshdReads = (text: string) => sh`printf '%s\n' ${text} >${mark}; sshd -t; systemctl restart ssh.service`

const ways: Record<string, { guard: Guard; script: Script }> = {
  'no user may log in': { guard: sshd, script: sshdReads('DenyUsers *') },
  // No interface has it: sshd finds its files right, and ends.
  'no listening socket': { guard: sshd, script: sshdReads('ListenAddress 203.0.113.9') },
  'too late': {
    guard: sshd,
    script: sh`
      while [ -e /var/lib/botgarden/guard/armed ]; do sleep 0.1; done
      sleep 2; ${sshdReads('DenyUsers *')}`,
  },
  // As when the host is on its way down.
  'systemd starts nothing any more': {
    guard: sshd,
    script: sh`
      mkdir -p /run/systemd/system.control
      ln -s /dev/null /run/systemd/system.control/botgarden-guard.service
      systemctl daemon-reload
      ${sshdReads('DenyUsers *')}`,
  },
  'all is well': { guard: sshd, script: sshdReads('LoginGraceTime 30') },
  'the step fails': { guard: sshd, script: sh`printf 'Nonsense yes\n' >${mark}; sshd -t` },
  'every packet is dropped': {
    guard: ufw,
    script: sh`
      sed -i '/^# End required lines/a -A ufw-before-input -p tcp --dport 22 -j DROP' /etc/ufw/before.rules
      touch ${mark}; ufw reload`,
  },
}

const cutOff = role('cut-off', v.strictObject({ how: v.picklist(Object.keys(ways)) }), ({ how }) => {
  const { guard, script } = ways[how] as { guard: Guard; script: Script }
  const change = {
    summary: how,
    script,
    predicts: [becomes(fileState(mark), { type: 'file', mode: '0644', owner: 'root', group: 'root' })],
  }
  return [
    guarded(
      resource({
        id: 'cut-off',
        wants: how,
        reads: { mark: fileState(mark) },
        plan: ({ mark }) => (mark === 'absent' ? [change] : []),
      }),
      guard,
    ),
  ]
})

await play({
  name: 'cut-off',
  summary: 'cuts the operator off',
  roles: [cutOff],
  allRoles: [cutOff],
  sandboxUp: async () => {},
})
