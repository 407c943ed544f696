import { notice } from '../../lib/model/combinators.ts'
import type { Facts } from '../../lib/model/facts.ts'
import { stateDir } from '../../lib/model/host-layout.ts'
import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import type { Resource } from '../../lib/model/resource.ts'
import { file } from '../../lib/resources/file.ts'
import { aptPackage } from '../../lib/resources/package.ts'
import { dropIn, unit } from '../../lib/resources/unit.ts'
import { sh } from '../../lib/shell/sh.ts'
import { template } from '../../lib/std/template.ts'

/** Packages of the Docker engine: upgrades restart the daemon, and some stop all containers. */
const engine = ['docker.io', 'docker-ce', 'docker-ce-cli', 'containerd', 'containerd.io', 'runc']

const heldList = `${stateDir}/held-updates`

/** Installs security updates automatically, except those of the engine and of `hold`; never reboots the host. */
export function upgrades(hold: readonly string[], { os }: Facts): Resource[] {
  const held = [...engine, ...hold]
  const from = (name: string, values: Record<string, unknown>) =>
    template(new URL(`templates/${name}.mustache`, import.meta.url), values)
  return [
    aptPackage('unattended-upgrades'),
    aptPackage('needrestart'),
    // After the distribution's 20auto-upgrades and 50unattended-upgrades.
    file('/etc/apt/apt.conf.d/52botgarden', {
      content: from('upgrades.conf', { debian: os === 'debian', held: held.map(patternOf) }),
      validate: { tool: 'apt-config', script: (path) => sh`APT_CONFIG=${path} apt-config dump >/dev/null` },
    }),
    file('/etc/needrestart/conf.d/botgarden.conf', { content: from('needrestart.conf', {}) }),
    ...dropIn('apt-daily-upgrade.service', 'botgarden', from('held-updates.conf', { heldList })),
    unit('apt-daily.timer', 'running'),
    unit('apt-daily-upgrade.timer', 'running'),
    waiting(),
  ]
}

/** Changes nothing: outputs the updates and reboots that wait for the operator. */
function waiting(): Resource {
  return notice({
    id: 'updates:waiting',
    reads: { now: updatesWaiting },
    outputs: ({ now: { held, reboot } }) => ({
      ...(held.length > 0 && { heldUpdates: held }),
      ...(reboot.length > 0 && { pendingReboot: reboot }),
    }),
  })
}

export interface Waiting {
  /** `NAME VERSION`, each a security update that is not installed. */
  readonly held: readonly string[]
  /** Packages that need a reboot. */
  readonly reboot: readonly string[]
}

const waitingUpdates: Kind<Waiting> = {
  name: 'waiting',
  volatile: true,
  // The list is last night's: packages that the operator has installed since are removed from it.
  script: () => sh`
    [ ! -e ${heldList} ] || while read -r name version; do
      installed=$(dpkg-query -W -f '\${Version}' -- "$name" 2>/dev/null) || continue
      ! dpkg --compare-versions "$installed" lt "$version" || echo "held $name $version"
    done <${heldList}
    [ ! -e /run/reboot-required ] || sed 's/^/reboot /' /run/reboot-required.pkgs 2>/dev/null | sort -u | grep . || echo 'reboot unnamed'`,
  parse: oneValue((output) => {
    const of = (word: string) => [...output.matchAll(new RegExp(`^${word} (.*)$`, 'gm'))].map(([, rest = '']) => rest)
    return { held: of('held'), reboot: of('reboot') }
  }),
}

/** The updates and reboots that wait for the operator. */
export const updatesWaiting: Reading<Waiting> = reading(waitingUpdates, 'updates')

/** A regular expression for exactly this package, as unattended-upgrades matches names. */
function patternOf(name: string): { pattern: string } {
  return { pattern: `^${name.replace(/[.+]/g, '\\$&')}$` }
}
