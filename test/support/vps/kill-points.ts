import { inVps } from '../../../sandbox/index.ts'

/** Who is killed when a kill point is reached: the step on the host, or the runner on this machine. */
export type Victim = 'host' | 'runner'

const folder = '/run/kill-points'

/**
 * Wraps the commands by which a run changes a host, and counts its calls within botgarden's own steps: units of
 * systemd, and `mv` in the shell of a connection. At call number `at` it kills its caller, or waits until the runner is
 * killed. Every gap between two of these commands is a kill point, the same one in every run.
 */
const stub = `#!/bin/sh
name=\${0##*/} real=/usr/bin/\${0##*/}
[ -e ${folder}/at ] || exec $real "$@"
unit=$(grep -o 'botgarden-[^/]*\\.service' /proc/self/cgroup | head -n 1)
[ -n "$unit" ] || [ "$name" = mv ] || exec $real "$@"
n=$(flock ${folder}/lock sh -c 'n=$(($(cat ${folder}/count 2>/dev/null || echo 0) + 1)); echo $n >${folder}/count; echo $n')
printf '%s %s %s' "$n" "$name" "$*" | tr '\\n' ' ' | cut -c 1-120 >>${folder}/calls
[ "$n" = "$(cat ${folder}/at)" ] || exec $real "$@"
rm ${folder}/at
case $(cat ${folder}/victim) in
host)
  : >${folder}/reached
  [ -z "$unit" ] || systemctl kill --signal KILL "$unit"
  # A step of the connection: the whole session, as by the kernel when memory is short.
  sid=$(cut -d ' ' -f 6 /proc/self/stat)
  for stat in /proc/[0-9]*/stat; do
    set -- $(sed 's/.*) //' $stat 2>/dev/null)
    pid=\${stat#/proc/}; pid=\${pid%/stat}
    [ "\${4:-}" != "$sid" ] || [ "$pid" = $$ ] || kill -KILL $pid
  done
  kill -KILL $$ ;;
runner)
  : >${folder}/reached
  while [ -e ${folder}/reached ]; do sleep 0.05; done
  exec $real "$@" ;;
esac
`

/** Puts the counting commands in place. They are not counted before a point is set. */
export async function installKillPoints(
  host: string,
  names: readonly string[] = ['docker', 'mv', 'sync', 'age', 'tar'],
): Promise<void> {
  const text = Buffer.from(stub).toString('base64')
  const { status, stderr } = await inVps(
    host,
    `for name in ${names.join(' ')}; do printf %s ${text} | base64 -d >/usr/local/bin/$name; chmod 755 /usr/local/bin/$name; done`,
  )
  if (status !== 0) throw new Error(stderr)
}

/** Sets the point: the call with this number is the last, or with 0 none is, and calls are only counted. */
export async function setKillPoint(host: string, at: number, victim: Victim): Promise<void> {
  await inVps(
    host,
    `rm -rf ${folder}; mkdir -p ${folder}; echo ${victim} >${folder}/victim; : >${folder}/calls; echo ${at} >${folder}/at`,
  )
}

/** Ends the counting; the calls that were counted, in order. */
export async function killPointCalls(host: string): Promise<string[]> {
  const { stdout } = await inVps(host, `cat ${folder}/calls; rm -rf ${folder}`)
  return stdout.split('\n').filter(Boolean)
}

/** Whether the point was reached within that time, in seconds. */
export async function killPointReached(host: string, seconds: number): Promise<boolean> {
  const { status } = await inVps(
    host,
    `for i in $(seq ${seconds * 10}); do [ ! -e ${folder}/reached ] || exit 0; sleep 0.1; done; exit 1`,
    { seconds: seconds + 10 },
  )
  return status === 0
}

/** Lets what waits at the point go on, without its runner. */
export async function passKillPoint(host: string): Promise<void> {
  await inVps(host, `rm -f ${folder}/reached`)
}
