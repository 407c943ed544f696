// A host that is a shell on this machine: `ssh` is a program that starts one, and paths of the host are in a folder.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseOptions } from '../../lib/cli/options.ts'
import type { Run } from '../../lib/cli/run-host.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { reporterOn } from '../../lib/report/progress.ts'
import type { Target } from '../../lib/ssh/ssh-arguments.ts'
import { plain } from '../../lib/std/colour.ts'

export interface StandIn {
  readonly folder: string
  readonly target: Target
  at(path: string): string
  /** A program that the host (and this machine's ssh) finds before all others. */
  program(name: string, body: string): void
  write(path: string, content: string): void
  read(path: string): string
  remove(): void
}

/** The paths of the host that are in the folder. */
const moved = ['/etc', '/run', '/var']
const osRelease = 'ID=debian\nVERSION_ID=13\nPRETTY_NAME="Debian 13 (stand-in)"\n'
// A transient unit: its script is of the same folder; a clock for later is none of this run's.
const systemdRun = `case " $* " in *' --on-active='*) exit 0 ;; esac
for word; do case $word in --property=StandardOutput=append:*) log=\${word#*append:} ;; esac; done
while [ "\${1#-}" != "$1" ]; do shift; done
for script; do :; done
sed -i "$MOVED" "$script"
exec "$@" >>"\${log:-/dev/null}" 2>&1`

export function standIn(): StandIn {
  const folder = mkdtempSync(join(tmpdir(), 'stand-in-'))
  const at = (path: string) => join(folder, path)
  const { PATH } = process.env
  const host: StandIn = {
    folder,
    target: { name: 'vps1', ssh: 'vps1', sshConfig: undefined, acceptNew: false },
    at,
    program: (name, body) => {
      writeFileSync(at(`programs/${name}`), `#!/bin/sh\n${body}\n`)
      chmodSync(at(`programs/${name}`), 0o755)
    },
    write: (path, content) => {
      mkdirSync(join(at(path), '..'), { recursive: true })
      writeFileSync(at(path), content)
    },
    read: (path) => readFileSync(at(path), 'utf8'),
    remove: () => {
      process.env.PATH = PATH
      rmSync(folder, { recursive: true, force: true })
    },
  }
  for (const place of ['programs', ...moved]) mkdirSync(at(place))
  host.write('/etc/os-release', osRelease)
  const expressions = moved.map((path) => `s#\\(^\\|[^A-Za-z0-9._/}-]\\)${path}/#\\1${at(path)}/#g`).join(';')
  host.program('systemd-run', `MOVED='${expressions}'\n${systemdRun}`)
  host.program('systemctl', 'exit 0')
  host.program('sudo', 'shift; exec "$@"')
  host.program(
    'ssh',
    `printf '%s\\n' "$*" >>${at('ssh.log')}
echo $$ >${at('ssh.pid')}
for command; do :; done
[ ! -e ${at('refused')} ] || { cat ${at('refused')} >&2; exit 255; }
SSH_CONNECTION='198.51.100.7 50000 192.0.2.1 2222'
export SSH_CONNECTION
input=${at('input')}.$$
mkfifo "$input"
exec 3<&0
sed -u -e '${expressions}' <&3 >"$input" & feed=$!
sh -c "$command" <"$input" 3<&-; status=$?
kill $feed
exit $status`,
  )
  process.env.PATH = `${at('programs')}:${PATH}`
  return host
}

export interface Watched {
  readonly run: Run
  readonly lines: string[]
}

/** What a run of a playbook goes by, with its lines kept. */
export function watchedRun(
  argv: readonly string[] = [],
  claim = { holder: 'ops@laptop, site.ts', wait: false },
): Watched {
  const lines: string[] = []
  const screen = { line: (text: string) => void lines.push(text), show: () => {}, close: () => {} }
  const options = parseOptions(argv, {}, 'site')
  const report = reporterOn(screen, { verbose: options.verbose, live: false, paint: plain })
  return { run: { options, report, sshConfig: undefined, claim }, lines }
}

export const inventoryHost = { name: 'vps1', ssh: 'vps1', vars: {} } as unknown as InventoryHost
