import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { HostError, RunnerError } from '../../lib/std/errors.ts'
import { mapConcurrent } from '../../lib/std/map-concurrent.ts'
import { botFolders } from '../../roles/bot/spec/layout.ts'

/**
 * Refuses to begin a bot anew on a host where another host of the inventory serves it: somebody has changed its `host:`, which moves
 * no data. Nobody is asked where nothing is released, where the host serves the bot already, or where there is no other host.
 */
export function refuseElsewhere(session: Session, bots: readonly string[]) {
  return async (host: InventoryHost, connection: Connection, ids: readonly string[]): Promise<void> => {
    const released = bots.filter((bot) => ids.includes(`release:${bot}`))
    const others = session.inventory.hosts.filter(({ name }) => name !== host.name)
    if (released.length === 0 || others.length === 0) return
    const here = await ask(connection, servedScript(released))
    const begun = released.filter((bot) => !here.split('\n').includes(`serves ${bot}`))
    if (begun.length === 0) return
    const found = await mapConcurrent(session.options.forks, others, (other) => servedOn(session, other, begun))
    const lines = found
      .flat()
      .map(
        ({ bot, on }) =>
          `${bot} serves on ${on}, and would begin with nothing on ${host.name}; nothing was changed; move it with all that it has: npx zx playbooks/bot.ts --name ${bot} --move-to ${host.name}`,
      )
    if (lines.length > 0) throw new HostError(lines.join('\n'))
  }
}

/** Those of these bots that a host serves; none, and a warning, where it cannot be asked. */
async function servedOn({ connected, report }: Session, host: InventoryHost, bots: readonly string[]) {
  try {
    const told = await connected(host, (connection) => ask(connection, servedScript(bots)), { quiet: true })
    return bots.filter((bot) => told.split('\n').includes(`serves ${bot}`)).map((bot) => ({ bot, on: host.name }))
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error
    report.line(`${host.name}  warning: not asked whether it serves ${bots.join(' or ')}: ${error.message}`)
    return []
  }
}

export function servedScript(bots: readonly string[]): Script {
  return sh`
    for bot in ${bots}; do
      [ ! -e ${botFolders.state}/"$bot"/current.json ] || echo "serves $bot"
    done`
}
