import { notice } from '../../lib/model/combinators.ts'
import type { Facts } from '../../lib/model/facts.ts'
import { stateDir } from '../../lib/model/host-layout.ts'
import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, reading } from '../../lib/model/reading.ts'
import type { Resource } from '../../lib/model/resource.ts'
import { file } from '../../lib/resources/file.ts'
import { aptPackage } from '../../lib/resources/package.ts'
import { dropIn, unit } from '../../lib/resources/unit.ts'
import { sh } from '../../lib/shell/sh.ts'
import { template } from '../../lib/std/template.ts'

/** The engine's packages: an upgrade restarts the daemon, and some stop all containers for it. */
const engine = ['docker.io', 'docker-ce', 'docker-ce-cli', 'containerd', 'containerd.io', 'runc']

const heldList = `${stateDir}/held-updates`

/** Security updates come by themselves, all but those of the engine and of `hold`; nothing reboots the host. */
export function upgrades(hold: readonly string[], { os }: Facts): Resource[] {
  const held = [...engine, ...hold]
  const from = (name: string, values: Record<string, unknown>) =>
    template(new URL(`templates/${name}.mustache`, import.meta.url), values)
  return [
    aptPackage('unattended-upgrades'),
    aptPackage('needrestart'),
    // Behind 20auto-upgrades and 50unattended-upgrades, the distribution's.
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

/** What a run tells at its end: what these updates leave to the operator. It changes nothing. */
function waiting(): Resource {
  return notice({
    id: 'updates:waiting',
    reads: { now: reading(waitingUpdates, 'updates') },
    outputs: ({ now: { held, reboot } }) => ({
      ...(held.length > 0 && { heldUpdates: held }),
      ...(reboot.length > 0 && { pendingReboot: reboot }),
    }),
  })
}

interface Waiting {
  /** `NAME VERSION`, each a security update that is not installed. */
  readonly held: readonly string[]
  /** The packages that ask for a reboot. */
  readonly reboot: readonly string[]
}

const waitingUpdates: Kind<Waiting> = {
  name: 'waiting',
  volatile: true,
  // The list is of last night: what the operator has installed since is taken out.
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

/** Of exactly this package, as unattended-upgrades matches names. */
function patternOf(name: string): { pattern: string } {
  return { pattern: `^${name.replace(/[.+]/g, '\\$&')}$` }
}
