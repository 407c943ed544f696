import { notInContainer } from '../model/combinators.ts'
import type { Facts } from '../model/facts.ts'
import { type Kind, type Reading, reading } from '../model/reading.ts'
import { becomes, type Resource, resource } from '../model/resource.ts'
import { sh } from '../shell/sh.ts'
import { HostError } from '../std/errors.ts'

/** The value of a kernel setting, several words with one space between; undefined where this kernel has no such setting. */
export function sysctlValue(name: string): Reading<string | undefined> {
  return reading(sysctls, name)
}

/**
 * A setting of the running kernel; a file of sysctl.d must set it for the next boot. `optional`: a kernel that does not
 * have it is as wanted.
 */
export function sysctl(name: string, value: string, facts: Facts, { optional = false } = {}): Resource {
  const now = sysctlValue(name)
  const inner = resource({
    id: `sysctl:${name}`,
    wants: value,
    reads: { now },
    plan: ({ now: found }) => {
      if (found === value || (found === undefined && optional)) return []
      if (found === undefined) throw new HostError(`sysctl ${name}: this kernel has no such setting`)
      const summary = `${found} → ${value}`
      return [{ summary, script: sh`printf '%s\n' ${value} >${pathOf(name)}`, predicts: [becomes(now, value)] }]
    },
  })
  return isNamespaced(name) ? inner : notInContainer(inner, facts)
}

/** Whether a setting belongs to the network namespace, which a container has for itself. */
export function isNamespaced(name: string): boolean {
  return name === 'net.core.somaxconn' || (name.startsWith('net.') && !name.startsWith('net.core.'))
}

/** A slash in a name stands for a dot: `net.ipv4.conf.eth0/100.rp_filter`. */
function pathOf(name: string): string {
  return `/proc/sys/${name.replace(/[./]/g, (sign) => (sign === '.' ? '/' : '.'))}`
}

const sysctls: Kind<string | undefined> = {
  name: 'sysctl',
  // One process for all of them: PATH:VALUE, a line each.
  script: (names) => sh`grep -H . -- ${names.map(pathOf)} 2>/dev/null`,
  parse: (output, names) => {
    const values = new Map<string, string>()
    for (const line of output.split('\n')) {
      const [, path, value = ''] = line.match(/^([^:]+):(.*)$/) ?? []
      if (path === undefined) continue
      const before = values.get(path)
      values.set(path, `${before === undefined ? '' : `${before} `}${value.trim().replace(/\s+/g, ' ')}`)
    }
    return new Map(names.map((name) => [name, values.get(pathOf(name))]))
  },
}
