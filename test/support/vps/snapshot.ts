import { inVps } from '../../../sandbox/index.ts'

/** What any login leaves behind: the journal, login records, the greeting, systemd's bookkeeping of sessions. */
const loginRecords =
  /^\/(run\/(log|systemd|utmp|user|dbus|sudo|udev|motd\.dynamic)|var\/log\/(journal|wtmp|btmp|lastlog|auth\.log)|var\/lib\/(wtmpdb|lastlog|systemd)|tmp\/systemd-private|var\/tmp\/systemd-private)(\/|\b)/

/** Everything a host holds that a check must leave alone: files with attributes and times, processes, containers, units. */
export async function snapshot(host: string): Promise<string[]> {
  const files = await listing(
    host,
    `for top in / /run /tmp /var/lib/docker; do
       [ -d $top ] && find $top -xdev -not -path '/proc/*' -not -path '/sys/*' -not -path '/dev/*' -printf '%p %y %m %u:%g %s %T@ %C@\\n'
     done | sort -u`,
  )
  // By name only: a process is no other one for having another number.
  const processes = await listing(
    host,
    "ps -eo args= | grep -vE 'sshd|\\(sd-pam\\)|systemd --user|^(ps|sh|sort|grep|find)( |$)|systemd-(hostnamed|timedated|localed)' | grep -v '^\\[' | sort",
  )
  const units = await listing(
    host,
    'systemctl list-units --all --plain --no-legend --type=service,socket,timer | grep -vE "ssh|user@|user-runtime-dir|session|systemd-" | sort',
  )
  const containers = await listing(host, 'docker ps -a --no-trunc 2>/dev/null || :')
  return [
    // The engine's own bookkeeping of builds, which it writes some time after its start.
    ...files.filter(
      (line) => !loginRecords.test(line) && !line.startsWith('/run d ') && !line.includes('/docker/buildkit/'),
    ),
    ...processes,
    ...units,
    ...containers,
  ]
}

export function difference(before: readonly string[], after: readonly string[]): string[] {
  const [was, is] = [new Set(before), new Set(after)]
  return [
    ...before.filter((line) => !is.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !was.has(line)).map((line) => `+ ${line}`),
  ]
}

async function listing(host: string, command: string): Promise<string[]> {
  const { status, stdout, stderr } = await inVps(host, command)
  if (status !== 0 && stdout === '') throw new Error(`${command}: ${stderr}`)
  return stdout.split('\n').filter(Boolean)
}
