import { quote } from '../shell/sh.ts'
import { durationText } from '../std/duration.ts'
import { containerFindings } from './container-findings.ts'
import type { Commands, Finding, Level } from './finding.ts'
import type { HostHealth } from './state.ts'
import { thresholds } from './thresholds.ts'

/** What is not as it should be about a host, apart from its bots. */
export function hostFindings(host: HostHealth, commands: Commands): Finding[] {
  return [
    ...resources(host, commands),
    ...services(host, commands),
    ...certificates(host, commands),
    ...backups(host, commands),
    ...(host.archive?.faults ?? []).map(
      (what): Finding => ({
        level: 'error',
        id: 'archive',
        what,
        next: commands.playbook('site', '--tags postgres,backups'),
      }),
    ),
    ...(host.pair?.faults ?? []).map(
      (what): Finding => ({ level: 'error', id: 'standby', what, next: commands.playbook('site') }),
    ),
    ...upkeep(host, commands),
  ]
}

/** The level that a value has reached; undefined below both. */
function levelOf(value: number, { warning, error }: { warning: number; error?: number }): Level | undefined {
  if (error !== undefined && value >= error) return 'error'
  return value >= warning ? 'warning' : undefined
}

function resources({ disks, memory, load, cpus, clock }: HostHealth, { onHost, playbook }: Commands): Finding[] {
  const percent = (share: number) => Math.round(share * 100)
  const found: Finding[] = []
  const add = (id: string, level: Level | undefined, what: string, next: string) => {
    if (level !== undefined) found.push({ level, id, what, next })
  }
  for (const { path, used, inodesUsed } of disks) {
    const next = onHost(`sudo du -xh --max-depth=3 ${quote(path)} | sort -h | tail -n 20`)
    add('disk', levelOf(percent(used), thresholds.disk), `the disk at ${path} is ${percent(used)} % full`, next)
    const what = `the inodes of the disk at ${path} are ${percent(inodesUsed)} % used`
    add('inodes', levelOf(percent(inodesUsed), thresholds.disk), what, next)
  }
  const used = memory.totalMB === 0 ? 0 : percent(1 - memory.availableMB / memory.totalMB)
  const left = `${used} % of the memory is in use: ${memory.availableMB} of ${memory.totalMB} MB are left`
  add('memory', levelOf(used, thresholds.memory), left, onHost('sudo docker stats --no-stream'))
  if (load !== undefined)
    add(
      'load',
      levelOf(load / Math.max(1, cpus), thresholds.load),
      `the load is ${load.toFixed(1)} on ${cpus} cpus`,
      onHost('top -b -n 1 | head -n 20'),
    )
  const off = Math.abs(clock.there - clock.here)
  if (off > thresholds.clock + clock.slack)
    add(
      'clock',
      'error',
      `its clock is ${Math.round(off / 1000)} s off from the one here`,
      playbook('site', '--tags base'),
    )
  return found
}

function services(host: HostHealth, commands: Commands): Finding[] {
  const { playbook, onHost } = commands
  if (!host.engine)
    return [
      {
        level: 'error',
        id: 'engine',
        what: 'Docker does not answer: nothing is known of containers',
        next: playbook('site'),
      },
    ]
  const { connections, firewall, failedUnits, nginxInForce } = host
  const used = connections === undefined ? 0 : Math.round((100 * connections.used) / connections.most)
  return [
    ...Object.entries(host.servers).flatMap(([name, state]) =>
      containerFindings(name, state, host.clock.there, {
        repair: playbook('site'),
        look: onHost(`sudo docker logs --tail 50 ${name}`),
      }),
    ),
    ...(firewall === false
      ? [
          {
            level: 'error',
            id: 'firewall',
            what: 'the firewall lets everything in',
            next: playbook('site', '--tags ufw'),
          } as const,
        ]
      : []),
    ...(connections !== undefined && used >= thresholds.connections.warning
      ? [
          {
            level: 'warning',
            id: 'connections',
            what: `the database server has ${connections.used} of ${connections.most} connections in use`,
            next: onHost(
              `sudo docker exec botgarden-postgres psql -U postgres -c 'select usename, count(*) from pg_stat_activity group by 1 order by 2 desc'`,
            ),
          } as const,
        ]
      : []),
    ...(nginxInForce === false
      ? [
          {
            level: 'error',
            id: 'nginx',
            what: 'nginx does not run what its configuration says',
            next: playbook('site', '--tags nginx'),
          } as const,
        ]
      : []),
    ...failedUnits.map(
      (unit): Finding => ({
        level: 'warning',
        id: 'unit',
        what: `${unit} has failed`,
        next: onHost(`sudo journalctl -n 50 -u ${quote(unit)}`),
      }),
    ),
  ]
}

function certificates({ certificates: all, clock }: HostHealth, { playbook }: Commands): Finding[] {
  return all.flatMap(({ name, ends, issuer, wrong, signed }): Finding[] => {
    const next = playbook('site', '--tags nginx,certbot')
    const say = (level: Level, what: string): Finding[] => [{ level, id: 'certificate', what, next }]
    if (ends === '') return say('error', `no certificate is served for ${name}`)
    if (wrong) return say('error', `the certificate that is served for ${name} is for another name`)
    const days = Math.floor((Date.parse(`${ends}T00:00:00Z`) - clock.there) / 86_400_000)
    if (days < 0) return say('error', `the certificate of ${name} has ended on ${ends}`)
    if (signed && issuer === '') return say('error', `no authority has signed the certificate of ${name}`)
    const level = signed ? closeLevel(days) : undefined
    return level === undefined ? [] : say(level, `the certificate of ${name} ends on ${ends}, in ${days} days`)
  })
}

function closeLevel(days: number): Level | undefined {
  const { warning, error } = thresholds.certificateDays
  if (days <= error) return 'error'
  return days <= warning ? 'warning' : undefined
}

function backups({ backups: all, clock }: HostHealth, { playbook }: Commands): Finding[] {
  const next = playbook('backup')
  if (all === undefined)
    return [
      {
        ...{ level: 'note', id: 'backups' },
        what: 'no backups are taken: set backups.recipients in the inventory',
        next: playbook('site'),
      },
    ]
  const say = (what: string): Finding => ({ level: 'warning', id: 'backups', what, next })
  if (all.there === undefined && all.here === undefined && all.failure === undefined)
    return [say('there is no backup yet')]
  const late = ([where, at, now]: readonly [string, number | undefined, number]) => {
    if (at === undefined) return [say(`there is no good backup ${where}`)]
    return now - at > thresholds.backupAge
      ? [say(`the last good backup ${where} is ${durationText(now - at)} old`)]
      : []
  }
  const sides = [
    ['on the host', all.there, clock.there],
    ['here', all.here, clock.here],
  ] as const
  return [
    ...(all.failure === undefined ? [] : [{ ...say(`the last backup ${all.failure}`), level: 'error' as const }]),
    ...sides.flatMap(late),
  ]
}

function upkeep(
  { heldUpdates, upgradeFault, pendingReboot, unknownBots, movedBots = [], lastCheck, clock }: HostHealth,
  commands: Commands,
): Finding[] {
  const { playbook, onHost } = commands
  const some = (all: readonly string[]) =>
    `${all.slice(0, 5).join(', ')}${all.length > 5 ? ` and ${all.length - 5} more` : ''}`
  const found: Finding[] = []
  if (heldUpdates.length > 0)
    found.push({
      level: 'warning',
      id: 'updates',
      what: `security updates wait for you: ${some(heldUpdates)}`,
      next: onHost(`sudo apt-get install ${heldUpdates.map((each) => quote(each.split(' ')[0] ?? '')).join(' ')}`),
    })
  if (upgradeFault !== undefined)
    found.push({
      level: 'warning',
      id: 'upgrades',
      what: `the nightly security updates fail: ${upgradeFault}`,
      next: onHost('sudo unattended-upgrade --dry-run --debug'),
    })
  if (pendingReboot.length > 0)
    found.push({
      level: 'warning',
      id: 'reboot',
      what: `a reboot is due for ${some(pendingReboot)}`,
      next: onHost('sudo systemctl reboot'),
    })
  for (const bot of unknownBots)
    found.push({
      level: 'warning',
      id: 'unknown-bot',
      what: `${bot} is on the host and not in the inventory`,
      next: commands.removal(bot),
    })
  for (const { bot, serves, from } of movedBots)
    found.push({
      level: 'note',
      id: 'moved-bot',
      what: `${bot} was moved to ${serves}, and what it had here is kept, stopped`,
      next: playbook('bot', `--name ${quote(bot)} --forget ${quote(from)}`),
    })
  if (lastCheck !== undefined && lastCheck.differences.length > 0)
    found.push({
      level: 'warning',
      id: 'drift',
      what: `the last check found ${lastCheck.differences.length} differences: ${some(lastCheck.differences)}`,
      next: playbook('site', '--check --diff'),
    })
  else if (lastCheck !== undefined && clock.here - lastCheck.at > thresholds.checkAge)
    found.push({
      level: 'note',
      id: 'checked',
      what: `the last check from here is ${durationText(clock.here - lastCheck.at)} old`,
      next: playbook('site', '--check'),
    })
  return found
}
