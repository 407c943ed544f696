import { setTimeout as pause } from 'node:timers/promises'
import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import { sh } from '../../../lib/shell/sh.ts'
import type { Connection } from '../../../lib/ssh/connection.ts'
import { ask } from '../../../lib/ssh/exec.ts'
import { ConnectError, HostError } from '../../../lib/std/errors.ts'

/** In seconds: how long a host may take to come back. */
const patience = 600

/** Which boot of the host this is, and whether another is due. */
const state = sh`cat /proc/sys/kernel/random/boot_id; cut -d ' ' -f 22 /proc/1/stat; [ ! -e /run/reboot-required ] || echo due`

export async function rebootDue(connection: Connection): Promise<boolean> {
  return (await ask(connection, state)).includes('\ndue')
}

/** Reboots a host, where that is due, and waits until it is back. Throws a `HostError` where it is not. */
export async function rebootIfDue(session: Session, host: InventoryHost): Promise<void> {
  const say = (line: string) => session.report.line(`${host.name}  ▸ ${line}`)
  const before = await session.connected(host, async (connection) => {
    const told = await ask(connection, state)
    if (!told.includes('\ndue')) return undefined
    // Under the lock, so that no other run is cut.
    await session.hold(host, connection)
    say('a reboot is due: it reboots now')
    // From outside of this login, which ends with it.
    await ask(connection, sh`systemd-run --quiet --collect --on-active=1 systemctl reboot 2>&1`)
    return told
  })
  if (before === undefined) return say('no reboot is due')
  for (const end = performance.now() + patience * 1000; performance.now() < end; await pause(2000)) {
    const now = await toldBy(session, host)
    if (now === undefined || sameBoot(now, before)) continue
    if (now.includes('\ndue')) throw new HostError(`${host.name} was rebooted, and still needs a reboot`)
    return say('is back')
  }
  throw new HostError(`${host.name} was told to reboot, and is not back after ${patience} s`)
}

async function toldBy(session: Session, host: InventoryHost): Promise<string | undefined> {
  try {
    return await session.connected(host, (connection) => ask(connection, state), { quiet: true })
  } catch (error) {
    if (error instanceof ConnectError) return undefined
    throw error
  }
}

/** A container has the boot id of the machine that runs it: there the time tells when its first process began. */
function sameBoot(one: string, other: string): boolean {
  return one.replace('due\n', '') === other.replace('due\n', '')
}
