import { oneValue } from '../../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import { becomes, type Resource, resource, unknownUntilApply } from '../../../lib/model/resource.ts'
import { aptFunctions } from '../../../lib/resources/package.ts'
import { sh } from '../../../lib/shell/sh.ts'

/** What notes that the lists of packages were fetched; a reboot takes it. */
const stamp = '/run/botgarden/lists-fetched'

const fetchedKind: Kind<number> = {
  name: 'apt-lists',
  script: () => sh`stat --format %.3Y ${stamp} 2>/dev/null || echo 0`,
  parse: oneValue((output) => Number(output) * 1000),
}
/** When they were, in milliseconds since 1970. */
const fetched: Reading<number> = reading(fetchedKind, 'fetched')

/** A package that waits to be upgraded. */
export interface Upgrade {
  readonly name: string
  /** Undefined: it is new, as a kernel is that another one needs. */
  readonly from: string | undefined
  readonly to: string
}

/** What apt-get would upgrade, by the lists that the host has. Nothing is written for it. */
export function parseUpgrades(output: string): Upgrade[] {
  return [...output.matchAll(/^Inst (\S+) (?:\[([^\]]*)\] )?\((\S+)/gm)].map(([, name = '', from, to = '']) => ({
    name,
    from,
    to,
  }))
}

/** Prints what `parseUpgrades` reads. */
export const upgradesQuestion = sh`apt-get --simulate --with-new-pkgs -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= upgrade 2>/dev/null || :`

const upgradesKind: Kind<readonly Upgrade[]> = {
  name: 'upgrades',
  script: () => upgradesQuestion,
  parse: oneValue(parseUpgrades),
}
const upgrades: Reading<readonly Upgrade[]> = reading(upgradesKind, 'all')

/** The lists of packages are not older than this, in milliseconds since 1970. */
export function listsFetched(since: number): Resource {
  return resource({
    id: 'apt:lists',
    wants: since,
    reads: { at: fetched },
    plan: ({ at }) => {
      if (at >= since) return []
      const { text } = sh`
        ${aptFunctions}
        lock_free
        apt -o APT::Update::Error-Mode=any update
        mkdir -p /run/botgarden
        : >${stamp}`
      const script = { text, shown: 'apt-get update' }
      return [
        { summary: 'fetch', script, long: true, predicts: [becomes(fetched, since), unknownUntilApply(upgrades)] },
      ]
    },
  })
}

/**
 * Every package is in its newest version, those too that unattended-upgrades leaves to the operator. Nothing is removed, a
 * configuration file that was changed stays, and what was put on hold by apt-mark is left alone.
 */
export function packagesUpgraded(): Resource {
  return resource({
    id: 'apt:upgrades',
    wants: 'none wait',
    reads: { upgrades },
    plan: ({ upgrades: waiting }) => {
      if (waiting.length === 0) return []
      const { text } = sh`
        ${aptFunctions}
        # Services that run an old library are restarted by needrestart, but for those that its configuration leaves out.
        NEEDRESTART_MODE=a
        lock_free
        dpkg --configure -a --force-confdef --force-confold
        lock_free
        apt --with-new-pkgs upgrade`
      const summary = `upgrade ${waiting.length} ${waiting.length === 1 ? 'package' : 'packages'}`
      return [
        {
          summary: `${summary}: ${waiting.map(({ name, to }) => `${name} ${to}`).join(', ')}`,
          script: { text, shown: 'apt-get --with-new-pkgs upgrade' },
          long: true,
          diff: () => waiting.map(({ name, from = 'absent', to }) => `${name} ${from} → ${to}`).join('\n'),
          predicts: [becomes(upgrades, [])],
        },
      ]
    },
  })
}
