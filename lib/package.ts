import { type Kind, type Reading, reading } from './reading.ts'
import { becomes, type Prediction, type Resource, resource } from './resource.ts'
import { type Script, sh } from './sh.ts'

/** What dpkg says of a package: `half` is one whose installation was cut and must be finished. */
export type PackageState = 'absent' | 'half' | { readonly version: string }

export function packageState(name: string): Reading<PackageState> {
  return reading(packages, name)
}

/** An installed package, in whatever version the distribution has. `brings`: what its install script is known to leave. */
export function aptPackage(name: string, brings: readonly Prediction[] = []): Resource {
  const now = packageState(name)
  return resource({
    id: `package:${name}`,
    wants: 'installed',
    reads: { now },
    plan: ({ now: state }) => {
      if (isInstalled(state)) return []
      const summary = state === 'half' ? 'finish its installation' : 'install'
      return [installing(name, summary, [becomes(now, { version: '' }), ...brings])]
    },
  })
}

/** The change that installs a package; neighbours become one transaction. */
export function installing(name: string, summary: string, predicts: readonly Prediction[]) {
  return {
    summary,
    script: installScript([name]),
    diff: () => `${summary === 'install' ? 'absent' : 'half installed'} → installed`,
    predicts,
    long: true,
    joins: { name: 'apt', item: name, script: installScript },
  }
}

export function isInstalled(state: PackageState): boolean {
  return typeof state === 'object'
}

/** How long apt waits for another apt or dpkg, in seconds: unattended-upgrades on a fresh host takes minutes. */
const lockPatience = 600

function installScript(names: string[]): Script {
  const { text } = sh`
    export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
    apt() { apt-get -q -y -o DPkg::Lock::Timeout=${lockPatience} -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"; }
    holder() {
      for lock in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
        inode=$(stat -c %i "$lock" 2>/dev/null) || continue
        pid=$(sed -n "s/.* WRITE \([0-9]*\) [^ ]*:$inode .*/\1/p" /proc/locks | head -n 1)
        [ -z "$pid" ] || { echo "process $pid ($(cat "/proc/$pid/comm" 2>/dev/null)) holds $lock"; return; }
      done
    }
    # apt waits for only one of these locks, dpkg for none.
    lock_free() {
      said=
      for _ in $(seq ${lockPatience}); do
        now=$(holder)
        [ -n "$now" ] || return 0
        [ "$now" = "$said" ] || printf 'waiting: %s\n' "$now"
        said=$now
        sleep 1
      done
      printf 'after %s s still: %s\n' ${lockPatience} "$now"
      return 1
    }
    lock_free
    # What a cut run left half-installed is finished first.
    dpkg --configure -a --force-confdef --force-confold
    lock_free
    apt -o APT::Update::Error-Mode=any update
    lock_free
    # Nobody asked for a removal: a package that conflicts with one of these is the operator's to decide.
    apt --no-install-recommends --no-remove install -- ${names}`
  return { text, shown: `apt-get --no-install-recommends install -- ${names.join(' ')}` }
}

const packages: Kind<PackageState> = {
  name: 'package',
  script: (names) =>
    sh`dpkg-query -W -f '\${Package} \${db:Status-Eflag} \${db:Status-Status} \${Version}\n' -- ${names} 2>/dev/null`,
  parse: (output, names) => {
    const states = new Map<string, PackageState>(names.map((name) => [name, 'absent']))
    for (const line of output.split('\n')) {
      const [name = '', flag, status, version = ''] = line.split(' ')
      if (status === undefined || isInstalled(states.get(name) ?? 'absent')) continue
      states.set(name, parseStatus(flag, status, version))
    }
    return states
  },
}

function parseStatus(flag: string | undefined, status: string, version: string): PackageState {
  if (flag === 'ok' && status === 'installed') return { version }
  return status === 'not-installed' || status === 'config-files' ? 'absent' : 'half'
}
