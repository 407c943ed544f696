import { type Kind, type Reading, reading } from '../model/reading.ts'
import { becomes, type Change, type Prediction, type Resource, resource } from '../model/resource.ts'
import { type Script, sh } from '../shell/sh.ts'
import { shellFile } from '../shell/shell-file.ts'

/** What dpkg says of a package: `half` is one whose installation was cut and must be finished. */
export type PackageState = 'absent' | 'half' | { readonly version: string }

export function packageState(name: string): Reading<PackageState> {
  return reading(packages, name)
}

/**
 * An installed package, in the version of the distribution: nothing of its role may have to be there before it.
 * `alsoProvides`: what its install script is known to change.
 */
export function aptPackage(name: string, alsoProvides: readonly Prediction[] = []): Resource {
  const now = packageState(name)
  const installed = resource({
    id: `package:${name}`,
    wants: 'installed',
    reads: { now },
    plan: ({ now: state }) => {
      if (isInstalled(state)) return []
      const summary = state === 'half' ? 'finish its installation' : 'install'
      return [installing(name, summary, [becomes(now, { version: '' }), ...alsoProvides])]
    },
  })
  return { ...installed, joins: apt }
}

/** The group of packages: they come together, and neighbours become one transaction. */
export const apt = 'apt'

/** The change that installs a package. */
export function installing(name: string, summary: string, predicts: readonly Prediction[]): Change {
  return {
    summary,
    script: installScript([name]),
    diff: () => `${summary === 'install' ? 'absent' : 'half installed'} → installed`,
    predicts,
    long: true,
    batch: { name: apt, item: name, script: installScript },
  }
}

export function isInstalled(state: PackageState): boolean {
  return typeof state === 'object'
}

/** Shell functions: `lock_free` waits up to 10 minutes for another apt or dpkg, `apt` runs it without questions. */
export const aptFunctions = shellFile(new URL('apt.sh', import.meta.url))

function installScript(names: string[]): Script {
  const { text } = sh`
    ${aptFunctions}
    lock_free
    # What a cut run left half-installed is finished first.
    dpkg --configure -a --force-confdef --force-confold
    lock_free
    apt -o APT::Update::Error-Mode=any update
    lock_free
    # Nothing is removed: what conflicts with one of these is for the operator to decide.
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
