import * as v from 'valibot'
import { notInContainer, refuseWhen, when } from '../../lib/model/combinators.ts'
import type { Facts } from '../../lib/model/facts.ts'
import { becomes, type Read, type Resource, resource } from '../../lib/model/resource.ts'
import { file } from '../../lib/resources/file.ts'
import { fileState } from '../../lib/resources/file-state.ts'
import { apt, installing, isInstalled, packageState } from '../../lib/resources/package.ts'
import { symlink } from '../../lib/resources/symlink.ts'
import { runningUnit, unit, unitState } from '../../lib/resources/unit.ts'

export const timezone = v.pipe(v.string(), v.check(isTimezone, 'a name like Europe/Berlin or UTC'))

const localtime = '/etc/localtime'
const timesyncd = 'systemd-timesyncd'
/** Other packages that set the clock, each with its unit. */
const others = { chrony: 'chrony.service', ntpsec: 'ntpsec.service', openntpd: 'openntpd.service' }

/** Synchronises the clock, and sets the time zone where one is given. */
export function clock(zone: string | undefined, facts: Facts): Resource[] {
  return [
    ...(zone === undefined ? [] : zoned(zone, facts)),
    notInContainer(timeDaemon(), facts),
    notInContainer(timeUnit(), facts),
  ]
}

function zoned(zone: string, { os }: Facts): Resource[] {
  // Debian 13 has no /etc/timezone any more; Ubuntu's programs still ask for it.
  return [zoneLink(zone), ...(os === 'ubuntu' ? [file('/etc/timezone', { content: `${zone}\n` })] : [])]
}

function zoneLink(zone: string): Resource {
  const path = `/usr/share/zoneinfo/${zone}`
  const [data, tzdata] = [fileState(path), packageState('tzdata')]
  const reason = (read: Read) => {
    // Where the package is not installed yet, the file is not there either.
    const found = read(tzdata)
    if (read(data) === 'absent' && typeof found === 'object' && found.version !== '')
      return `timezone ${zone}: this host has no ${path}: an old name may be in the package tzdata-legacy`
  }
  return refuseWhen([data, tzdata], reason, symlink(localtime, path))
}

/** A time daemon that is installed already is kept: Debian allows only one of them. */
function timeDaemon(): Resource {
  const own = packageState(timesyncd)
  const reads = { own, ...Object.fromEntries(Object.keys(others).map((name) => [name, packageState(name)])) }
  const installed = resource({
    id: `package:${timesyncd}`,
    wants: 'installed',
    reads,
    plan: (states) => {
      if (Object.values(states).some(isInstalled)) return []
      const starts = becomes(unitState(`${timesyncd}.service`), runningUnit)
      return [installing(timesyncd, 'install', [becomes(own, { version: '' }), starts])]
    },
  })
  return { ...installed, joins: apt }
}

function timeUnit(): Resource {
  const rivals = Object.keys(others).map((name) => packageState(name))
  const isAlone = (read: Read) => !rivals.some((each) => isInstalled(read(each)))
  return when(rivals, isAlone, unit(`${timesyncd}.service`, 'running'))
}

function isTimezone(name: string): boolean {
  try {
    // Intl takes names in any case, file names do not.
    return (
      new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone === name ||
      /^(Etc\/)?[A-Z]+$/.test(name)
    )
  } catch {
    return false
  }
}
