// The work that every tool of the bench is given, as botgarden says it: `ansible/site.yaml` and `pyinfra/deploy.py` say the same.
import * as v from 'valibot'
import { play } from '../lib/cli/play.ts'
import { role } from '../lib/model/role.ts'
import { directory, file } from '../lib/resources/file.ts'
import { group } from '../lib/resources/group.ts'
import { aptPackage } from '../lib/resources/package.ts'
import { symlink } from '../lib/resources/symlink.ts'
import { unit } from '../lib/resources/unit.ts'

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

const workload = role('workload', v.strictObject({ version: v.number() }), ({ version }) => [
  ...['bc', 'less', 'lsof', 'rsync', 'time', 'tree', 'unzip', 'zip'].map((name) => aptPackage(name)),
  ...upTo(3).map((n) => group(`bench-${n}`)),
  directory('/opt/bench'),
  ...upTo(10).map((n) => directory(`/opt/bench/${n}`)),
  ...upTo(40).map((n) => file(`/opt/bench/${n % 10}/${n}.conf`, { content: `version = ${version}\nfile = ${n}\n` })),
  ...upTo(4).map((n) => symlink(`/opt/bench/link-${n}`, `/opt/bench/${n}`)),
  ...['ssh.service', 'systemd-journald.service', 'systemd-logind.service', 'dbus.service'].map((name) =>
    unit(name, 'running'),
  ),
])

await play({
  name: 'garden',
  summary: 'the work of the bench',
  roles: [workload],
  allRoles: [workload],
})
