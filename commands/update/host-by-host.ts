import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { waiting } from '../../lib/shell/deadline.ts'
import { lines, type Script, sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { HostError } from '../../lib/std/errors.ts'
import { allocationsFile } from '../../roles/bot/spec/allocations.ts'
import { addressOf, botFolders, layoutOf } from '../../roles/bot/spec/layout.ts'
import { parseRelease } from '../../roles/bot/spec/release-record.ts'
import type { BotVars } from '../../roles/bot/spec/schema.ts'

const functions = shellFile(new URL('answers.sh', import.meta.url))

/** Applies all that site.ts applies to the hosts of a session; returns the exit code. */
export type Verify = (session: Session) => Promise<number>

/**
 * Updates one host after the other, as `update` does it, and verifies each: all of site.ts is applied, and every bot is asked for an
 * answer. After a failure no other host begins. Returns the exit code; throws a `HostError` for a bot that gives no answer.
 */
export async function hostByHost(
  session: Session,
  verify: Verify,
  update: (host: InventoryHost) => Promise<number>,
): Promise<number> {
  let worst = 0
  for (const host of session.hosts) {
    const code = await update(host)
    worst = Math.max(worst, code)
    if (session.options.check) continue
    const after = code === 0 ? await verified(session, host, verify) : code
    if (after !== 0) return after
  }
  return worst
}

async function verified(session: Session, host: InventoryHost, verify: Verify): Promise<number> {
  const code = await verify({ ...session, hosts: [host] })
  if (code !== 0) return code
  const silent = await session.connected(host, (connection) => silentBots(connection, host), { quiet: true })
  if (silent.length === 0) return 0
  throw new HostError(
    `${host.name} is updated, but not every bot answers:\n${silent.join('\n')}\nsee npx zx playbooks/bot.ts --name BOT --logs`,
  )
}

/** The bots that were released and do not answer within a minute, each with what is wrong. */
export async function silentBots(connection: Connection, { bots, vars }: InventoryHost): Promise<string[]> {
  const names = bots.map(({ name }) => name)
  if (names.length === 0) return []
  const told = await ask(
    connection,
    sh`
    cat ${allocationsFile} 2>/dev/null
    for bot in ${names}; do
      printf 'release %s ' "$bot"
      head -n 1 "${botFolders.state}/$bot/current.json" 2>/dev/null || echo
    done`,
  )
  const numbers = new Map([...told.matchAll(/^(\S+) (\d+)$/gm)].map(([, bot = '', number]) => [bot, Number(number)]))
  const { network } = vars.bot as BotVars
  const asked = names.flatMap((bot): Script[] => {
    const current = parseRelease(new RegExp(`^release ${bot} (.*)$`, 'm').exec(told)?.[1])
    const number = numbers.get(bot)
    if (current === undefined || number === undefined) return []
    const { health, port } = current.spec
    const url = health === undefined ? '' : `http://${addressOf(network, number, current.colour)}:${port}${health}`
    return [sh`answers ${bot} ${layoutOf(bot).container(current.colour)} ${url}`]
  })
  const said = await ask(connection, lines([waiting, functions, ...asked]))
  return [...said.matchAll(/^silent (\S+) (.*)$/gm)].map(([, bot, what]) => `${bot}: ${what}`)
}
