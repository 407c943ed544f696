import * as assert from 'uvu/assert'
import { inVps } from '../../../sandbox/index.ts'

// What runs is read after the events have begun, so that nothing is missed; what a boot has ended is over by then.
const program = `#!/bin/sh
exec >>/var/tmp/runs
echo "$(date +%s%N) boot -"
docker events --filter type=container --filter event=start --filter event=die --format '{{.TimeNano}} {{.Action}} {{.Actor.Attributes.name}}' &
sleep 1
for each in $(docker ps --format '{{.Names}}'); do
  echo "$(date -d "$(docker inspect -f '{{.State.StartedAt}}' "$each")" +%s%N) start $each"
done
wait
`
const unit = `[Unit]
After=docker.service
[Service]
Restart=always
RestartSec=1
ExecStart=/bin/sh /usr/local/bin/record-runs
[Install]
WantedBy=multi-user.target
`

/** Has a VPS write down when each container starts and ends, in /var/tmp/runs, through reboots. */
export async function installRecorder(host: string): Promise<void> {
  const put = (text: string, path: string) => `echo ${Buffer.from(text).toString('base64')} | base64 -d >${path}`
  const { status, stderr } = await inVps(
    host,
    `${put(program, '/usr/local/bin/record-runs')}; ${put(unit, '/etc/systemd/system/record-runs.service')}; systemctl enable --now record-runs`,
  )
  assert.is(status, 0, stderr)
}

/** When both of two hosts have run a bot at the same time since then, in milliseconds since 1970: a line for each. */
export function ranOnBoth(bot: string, first: string, second: string, since: number): string[] {
  const [here, there] = [runsIn(first, bot), runsIn(second, bot)]
  return here.flatMap((one) =>
    there
      .filter((two) => one.from < two.to && two.from < one.to && Math.min(one.to, two.to) > since)
      .map((two) => `${one.name} and ${two.name} for ${Math.min(one.to, two.to) - Math.max(one.from, two.from)} ms`),
  )
}

interface Ran {
  readonly name: string
  readonly from: number
  readonly to: number
}

function runsIn(recorded: string, bot: string): Ran[] {
  const isOfBot = new RegExp(`^botgarden-${bot}(-(blue|green)|[.].*)$`)
  const open = new Map<string, number>()
  const ended: Ran[] = []
  // In the order in which they were written: what runs after a boot has begun before that was.
  for (const [, time = '', what = '', name = ''] of recorded.matchAll(/^(\d+) (\w+) (\S+)$/gm)) {
    const at = Number(time) / 1e6
    for (const [each, from] of open)
      if (what === 'boot' || (what === 'die' && each === name)) {
        ended.push({ name: each, from, to: at })
        open.delete(each)
      }
    // One that is told twice has begun once.
    if (what === 'start' && isOfBot.test(name) && !open.has(name)) open.set(name, at)
  }
  return [...ended, ...[...open].map(([name, from]) => ({ name, from, to: Date.now() }))]
}
