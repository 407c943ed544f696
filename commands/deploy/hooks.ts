import { resolve } from 'node:path'
import type { Inventory, InventoryHost } from '../../lib/inventory/inventory.ts'
import type { BotEntry } from '../../lib/model/role.ts'
import type { HostResult } from '../../lib/report/result.ts'
import { local } from '../../lib/shell/local.ts'
import { HostError } from '../../lib/std/errors.ts'
import { operatorFolder } from '../../lib/std/local-path.ts'
import { oneLine } from '../../lib/std/output.ts'
import type { Deployment } from '../../roles/bot/spec/deployment.ts'
import type { BotSettings } from '../../roles/bot/spec/schema.ts'
import { tokenVariable } from '../../roles/bot/token.ts'

type Say = (line: string) => void

/** The hooks of the bots of one run, each of which runs once at the most. */
export interface Hooks {
  /** Runs `before` of the bots that are released by the changes with these ids. Throws a `HostError` where one fails. */
  before(host: InventoryHost, ids: readonly string[]): Promise<void>
  /** Runs `after` of the bots that were released; `releaseOf` asks the host. */
  after(host: InventoryHost, result: HostResult, releaseOf: (bot: string) => Promise<string | undefined>): Promise<void>
}

export function hooksOf(deployments: ReadonlyMap<string, Deployment>, inventory: Inventory, say: Say): Hooks {
  const begun = new Set<string>()
  const withHook = (host: InventoryHost, which: 'before' | 'after', ids: readonly string[]) =>
    host.bots.flatMap((entry) => {
      const command = (entry.settings as BotSettings).hooks?.[which]
      const deployment = deployments.get(entry.name)
      const isReleased = ids.includes(`release:${entry.name}`)
      return command === undefined || deployment === undefined || !isReleased ? [] : [{ entry, command, deployment }]
    })
  return {
    before: async (host, ids) => {
      for (const { entry, command, deployment } of withHook(host, 'before', ids)) {
        if (begun.has(entry.name)) continue
        begun.add(entry.name)
        const code = await run(
          command,
          variablesOf(host, entry, deployment, inventory),
          say,
          `${host.name}  ${entry.name} before`,
        )
        if (code !== 0)
          throw new HostError(
            `bots.${entry.name}.hooks.before ended with exit code ${code}: ${command}\nnothing on ${host.name} was touched`,
          )
      }
    },
    after: async (host, { changes }, releaseOf) => {
      const ids = changes.map(({ id }) => id)
      for (const { entry, command, deployment } of withHook(host, 'after', ids)) {
        const release = await releaseOf(entry.name)
        const variables = {
          ...variablesOf(host, entry, deployment, inventory),
          ...(release && { BOTGARDEN_RELEASE: release }),
        }
        const code = await run(command, variables, say, `${host.name}  ${entry.name} after`)
        if (code !== 0)
          say(`${host.name}  warning: bots.${entry.name}.hooks.after ended with exit code ${code}: the release stays`)
      }
    },
  }
}

function variablesOf(
  host: InventoryHost,
  { name }: BotEntry,
  { spec, commit }: Deployment,
  inventory: Inventory,
): NodeJS.ProcessEnv {
  return {
    ...withoutSecrets(inventory),
    BOTGARDEN_BOT: name,
    BOTGARDEN_HOST: host.name,
    BOTGARDEN_DOMAIN: host.domain ?? '',
    BOTGARDEN_IMAGE: spec.image,
    BOTGARDEN_MODE: spec.mode,
    BOTGARDEN_INVENTORY: resolve(inventory.file),
    ...(commit !== undefined && { BOTGARDEN_COMMIT: commit }),
  }
}

/** The environment but for the variables that the inventory takes secrets from. */
function withoutSecrets({ hosts }: Inventory): NodeJS.ProcessEnv {
  const secret = hosts
    .flatMap(({ bots }) => bots)
    .flatMap(({ name, settings }) => {
      const { token, secrets = {} } = settings as BotSettings
      const sources = [...(token === undefined ? [] : [token]), ...Object.values(secrets)]
      return [tokenVariable(name), ...sources.flatMap((source) => ('env' in source ? [source.env] : []))]
    })
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !secret.includes(name)))
}

/** Runs a command of the operator's, in the folder of the inventory, and says what it prints. Returns its exit code. */
async function run(command: string, variables: NodeJS.ProcessEnv, say: Say, who: string): Promise<number> {
  const child = local({ nothrow: true, cwd: operatorFolder(), env: variables })`sh -c ${command} </dev/null 2>&1`
  for await (const line of child) say(`${who}: ${oneLine(line)}`)
  return (await child).exitCode ?? 1
}
