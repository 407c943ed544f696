import { existsSync } from 'node:fs'
import { lockRequestOf } from '../engine/host-lock.ts'
import { hold } from '../engine/run-steps.ts'
import { explain, explainedText } from '../inventory/explain.ts'
import { type Inventory, readInventory, selectHosts } from '../inventory/inventory.ts'
import { readYaml } from '../inventory/yaml.ts'
import type { Role } from '../model/role.ts'
import { reporter } from '../report/progress.ts'
import {
  exitCodeOf,
  type HostResult,
  outputsJson,
  resultJson,
  resultText,
  rounded,
  together,
} from '../report/result.ts'
import { paintFor } from '../std/colour.ts'
import { InventoryError, UsageError } from '../std/errors.ts'
import { mapConcurrent } from '../std/map-concurrent.ts'
import { streams, writeOut } from '../std/output.ts'
import { suggest } from '../std/suggest.ts'
import { type Checked, noteChecks } from './last-check.ts'
import { main, onInterrupt } from './main.ts'
import { type Options, parseOptions, scriptArguments, type Usage, usage } from './options.ts'
import { login, type Run, runHost } from './run-host.ts'
import type { Session } from './session.ts'

/** Roles in order, applied to the hosts of an inventory; or a procedure of its own. */
export interface Playbook extends Usage {
  readonly name: string
  /** What it does, as `--help` says it after the name. */
  readonly summary: string
  /** The roles that `--tags` chooses from. */
  readonly roles: readonly Role[]
  /** Every role an inventory may hold vars for. */
  readonly allRoles: readonly Role[]
  /** Starts the throwaway VPS of an inventory that says `sandbox: true`; left out: it must be up. */
  readonly sandboxUp?: (options: { progress: (line: string) => void }) => Promise<void>
  /** It brings whole hosts to what is wanted: how it has found them is noted for status.ts. */
  readonly isWhole?: boolean
  /** What it does instead of applying its roles to every host; returns the exit code. */
  readonly run?: (session: Session, roles: readonly Role[]) => Promise<number>
}

/** Runs a playbook from the command line: the whole of a playbook script. */
export function play(playbook: Playbook): Promise<void> {
  return main(async () => {
    const { name, flags, without, run = convergeAll } = playbook
    const argv = scriptArguments(process.argv, process.env, `${name}.ts`, flags)
    const options = parseOptions(argv, process.env, name, flags, without)
    if (options.help) {
      writeOut(usage(name, playbook.summary, playbook).trimEnd())
      return 0
    }
    const started = performance.now()
    const roles = selectRoles(playbook.roles, options.tags)
    const inventory = await readInventory(options.inventory, playbook.allRoles)
    const hosts = selectHosts(inventory, options.limit)
    if (options.explain !== undefined) {
      const explained = explain(options.explain, await readYaml(inventory.file), hosts, playbook.allRoles)
      writeOut(options.json ? JSON.stringify({ explained }) : explainedText(explained))
      return 0
    }
    const report = reporter({ ...options, quiet: options.own.has('quiet') })
    onInterrupt(() => {
      report.close()
      return report.underWay()
    })
    if (inventory.sandbox) await playbook.sandboxUp?.({ progress: report.line })
    refuseMissing(inventory)
    const each: Run = { options, report, sshConfig: inventory.sshConfig, claim: lockRequestOf(name, options.wait) }
    const results: HostResult[] = []
    const session: Session = {
      ...{ inventory, hosts, options, report },
      converge: async (some, rolesOf, prepare, ended) => {
        const latest = await mapConcurrent(options.forks, some, async (host) => {
          const result = await runHost(host, rolesOf, each, prepare)
          await ended?.(host, result)
          return result
        })
        results.push(...latest)
        if (playbook.isWhole && options.tags.length === 0)
          noteChecks(inventory.file, latest.flatMap(checkedOf(options)))
        report.close()
        if (!options.json) writeOut(resultText(latest, options, paintFor(streams.out, process.env)))
        return exitCodeOf(latest, options.check)
      },
      hold: (host, connection) => hold(connection, each.claim, report.progress(host.name)),
      connected: async (host, use, how) => {
        const connection = await login(host, each, how)
        return use(connection).finally(() => connection.close())
      },
    }
    return run(session, roles).finally(() => {
      report.close()
      if (options.json && results.length > 0) writeOut(jsonText(name, options, together(results), started))
    })
  })
}

/** What still differs on a host after a run or a check; nothing is known of one that has ended with an error. */
function checkedOf({ check }: Options): (result: HostResult) => Checked[] {
  return ({ host, error, changes, unknowns }) => {
    if (error !== undefined) return []
    return [{ host, differences: check ? [...changes, ...unknowns].map(({ id }) => id) : [] }]
  }
}

function convergeAll({ converge, hosts }: Session, roles: readonly Role[]): Promise<number> {
  return converge(hosts, roles)
}

/** One object, however many stages a run had. */
function jsonText(playbook: string, options: Options, results: readonly HostResult[], started: number): string {
  const seconds = rounded((performance.now() - started) / 1000)
  const { check } = options
  return JSON.stringify({
    ...{ playbook, check, seconds },
    hosts: resultJson(results, options),
    outputs: outputsJson(results),
  })
}

function refuseMissing({ file, sandbox, sshConfig }: Inventory): void {
  if (sshConfig === undefined || existsSync(sshConfig)) return
  const next = sandbox ? '; the throwaway VPS is down: npx zx playbooks/site.ts starts it' : ''
  throw new InventoryError(`${file}: sshConfig: no such file: ${sshConfig}${next}`)
}

function selectRoles(roles: readonly Role[], tags: readonly string[]): readonly Role[] {
  const names = roles.map(({ name }) => name)
  for (const tag of tags) {
    if (names.includes(tag)) continue
    throw new UsageError(`unknown role "${tag}"${suggest(tag, names)}: this playbook has ${names.join(', ')}`)
  }
  return tags.length === 0 ? roles : roles.filter(({ name }) => tags.includes(name))
}
