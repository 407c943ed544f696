import { isDeepStrictEqual } from 'node:util'
import { becomes, type Change, type Guard, type Resource, resource } from '../../lib/model/resource.ts'
import type { FileState } from '../../lib/resources/file-state.ts'
import { lines, type Script, sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'
import type { ContainerRules } from './containers.ts'
import { allowing, type Rule, tuplesOf } from './rules.ts'
import { defaultSettings, type UfwState, ufwState } from './state.ts'
import { deleting, describe, verdict } from './tuples.ts'

const { ENABLED: _, ...wantedSettings } = defaultSettings

/** The default policies: deny incoming and routed traffic, allow outgoing, for IPv6 as well. */
export function ufwDefaults(): Resource {
  return resource({
    id: 'ufw:defaults',
    wants: wantedSettings,
    reads: { now: ufwState },
    plan: ({ now }) => {
      const wrong = Object.entries(wantedSettings).filter(([key, value]) => now.settings[key] !== value)
      if (wrong.length === 0) return []
      return [
        {
          summary: wrong.map(([key, value]) => `${key}=${value}`).join(', '),
          // A reload loads IPv6 as well; where ufw is disabled it does nothing.
          script: lines([...wrong.map(([key, value]) => settingLine(key, value)), sh`ufw reload`]),
          predicts: [becomes(ufwState, (state) => ({ ...state, settings: { ...state.settings, ...wantedSettings } }))],
          diff: () => wrong.map(([key, value]) => `-${key}=${now.settings[key] ?? ''}\n+${key}=${value}`).join('\n'),
        },
      ]
    },
  })
}

/** Opens these ports. `exclusive`: deletes all other rules. Throws a `HostError` where that would lock the operator out. */
export function ufwRules(
  rules: readonly Rule[],
  { exclusive, ssh }: { exclusive: boolean; ssh: { port: number; from: string } },
): Resource {
  return resource({
    id: 'ufw:rules',
    wants: { rules, exclusive },
    reads: { now: ufwState },
    plan: ({ now }) => {
      const wanted = rules.flatMap(tuplesOf)
      const missing = rules.filter((rule) => tuplesOf(rule).some((tuple) => !now.rules.includes(tuple)))
      const surplus = exclusive ? now.rules.filter((tuple) => !wanted.includes(tuple)) : []
      const after = [...new Set([...now.rules, ...wanted])].filter((tuple) => !surplus.includes(tuple))
      refuseLockOut(after, ssh)
      const steps = [...missing.map(allowing), ...surplus.map(deleting)]
      if (steps.length === 0) return []
      // While enabled, ufw fails to add any rule where its chains were removed by hand.
      const unloaded = now.settings.ENABLED === 'yes' && now.differences.some((each) => each.endsWith('is not loaded'))
      const off = unloaded ? [sh`sed -i s/^ENABLED=.*/ENABLED=no/ /etc/ufw/ufw.conf`] : []
      const settings = { ...now.settings, ...(unloaded && { ENABLED: 'no' }) }
      const said = [
        ...missing.flatMap(tuplesOf).map((tuple) => describe(tuple)),
        ...surplus.map((tuple) => `delete ${describe(tuple)}`),
      ]
      return [
        {
          summary: [...new Set(said)].join(', '),
          script: lines([...off, ...steps.map((words) => sh`ufw ${words}`)]),
          predicts: [becomes(ufwState, (state) => ({ ...state, settings, rules: after }))],
          diff: () =>
            [...surplus.map((tuple) => `-${tuple}`), ...missing.flatMap(tuplesOf).map((each) => `+${each}`)].join('\n'),
        },
      ]
    },
  })
}

/** ufw is enabled, now and after a boot, and the kernel has the rules of its files and of ours. */
export function ufwEnabled({ loaded }: ContainerRules): Resource {
  return resource({
    id: 'ufw:enabled',
    wants: loaded,
    reads: { now: ufwState },
    plan: ({ now }): Change[] => {
      const running = { ipv4: loaded.ipv4, ipv6: now.containers.ipv6 && loaded.ipv6 }
      const predicts = [
        becomes(ufwState, (state: UfwState) => ({
          ...state,
          settings: { ...state.settings, ENABLED: 'yes' },
          differences: [],
          containers: running,
        })),
      ]
      if (now.settings.ENABLED !== 'yes')
        return [{ summary: 'enable', script: sh`${unhook}; ufw --force enable`, predicts }]
      if (now.differences.length > 0) {
        const diff = () => now.differences.join('\n')
        return [{ summary: 'load its rules again', script: sh`${unhook}; /usr/lib/ufw/ufw-init start`, predicts, diff }]
      }
      if (isDeepStrictEqual(now.containers, running)) return []
      return [{ summary: 'load the rules about containers', script: sh`/etc/ufw/after.init start`, predicts }]
    },
  })
}

/** ufw runs an executable script that the operator put there: overwriting would undo it. One that is not executable is a sample. */
export function refuseForeign(path: string, now: FileState, text: string | undefined): void {
  const runs = now !== 'absent' && (Number.parseInt(now.mode, 8) & 0o111) !== 0
  if (runs && text !== undefined && text.trim() !== '' && !text.includes('\n# Written by botgarden'))
    throw new HostError(`${path} is not ours, and ufw runs it: move it elsewhere, or make it not executable`)
}

/**
 * Unhooks and deletes ufw's chains, since ufw hooks only chains that it creates. The policies stay, so nothing is open in
 * between.
 */
const unhook = sh`for tables in iptables ip6tables; do
      "$tables-save" -t filter | sed -n -E \
        -e '/^\*filter/p' \
        -e '/^:ufw/{s/^:([^ ]*) .*/-F \1/p;s/^-F/-X/;H;d}' \
        -e '/^-A ufw/d' -e 's/^-A (.* -j ufw.*)/-D \1/p' \
        -e '/^COMMIT/{x;s/^\n//p;s/.*/COMMIT/p}' | "$tables-restore" -w 10 -n
    done`

/** Notes whether the kernel had any of ufw's rules, which may differ from its files. */
const loadedBefore: Script = sh`if iptables-save -t filter | grep -q '^-A INPUT -j ufw'; then touch ufw-loaded; fi`

/** Runs on the host alone, once the old files are back: the kernel loads them, or removes all of ufw's rules where it had none. */
const restored: Script = sh`
    # A script of somebody's that ufw runs may hang.
    timeout 30 /usr/lib/ufw/ufw-init force-stop
    for tables in iptables ip6tables; do
      "$tables" -w 10 -P INPUT ACCEPT; "$tables" -w 10 -P OUTPUT ACCEPT
      { echo '*mangle'; "$tables-save" -t mangle | sed -n 's/^-A \([A-Z]* .*-j botgarden-\)/-D \1/p'
        printf ':%s - [0:0]\n-X %s\n' botgarden-input botgarden-input botgarden-forward botgarden-forward; echo COMMIT
      } | "$tables-restore" -w 10 -n
    done
    ${unhook}
    [ ! -e ufw-loaded ] || timeout 30 /usr/lib/ufw/ufw-init start`

/** ufw starts at boot by this link. */
export const guard: Guard = {
  name: 'ufw',
  paths: ['/etc/ufw', '/etc/default/ufw', '/etc/systemd/system/multi-user.target.wants/ufw.service'],
  note: loadedBefore,
  restore: restored,
}

function refuseLockOut(rules: readonly string[], ssh: { port: number; from: string }): void {
  const deciding = rules.find((rule) => verdict(rule, ssh.port, ssh.from) !== undefined)
  if (deciding !== undefined && verdict(deciding, ssh.port, ssh.from)) return
  const reason =
    deciding === undefined ? 'no rule would allow it: see ufw.sshFrom' : `«${describe(deciding)}» comes first`
  throw new HostError(`ssh from ${ssh.from} to port ${ssh.port} would be locked out: ${reason}`)
}

function settingLine(key: string, value: string): Script {
  const line = key.endsWith('_POLICY') ? `${key}="${value}"` : `${key}=${value}`
  return sh`
    sed -i ${`s/^${key}=.*/${line}/`} /etc/default/ufw
    grep -q ${`^${key}=`} /etc/default/ufw || printf '%s\n' ${line} >>/etc/default/ufw`
}
