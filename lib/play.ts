import { existsSync } from 'node:fs'
import { atMost } from './at-most.ts'
import { applyHost, checkHost, type Outcome } from './converge.ts'
import { credentialsOf } from './credentials.ts'
import { Bug, InventoryError, RunnerError, UsageError } from './errors.ts'
import { explain, explainedText } from './explain.ts'
import { refuseUnsupported } from './facts.ts'
import { type InventoryHost, readInventory, selectHosts } from './inventory.ts'
import { type Claim, claimOf } from './lock.ts'
import { main, onInterrupt } from './main.ts'
import { type Options, parseOptions, scriptArguments, usage } from './options.ts'
import { paintFor } from './paint.ts'
import { exitCodeOf, type HostResult, outputsJson, resultJson, resultText, rounded } from './report.ts'
import { type Reporter, reporter } from './reporter.ts'
import type { Role } from './role.ts'
import { type Owned, resourcesOf } from './roles.ts'
import { masked } from './secret.ts'
import { type Connection, connect } from './ssh.ts'
import { suggest } from './suggest.ts'
import { readYaml } from './yaml.ts'

/** Roles in order, applied to the hosts of an inventory. */
export interface Playbook {
  readonly name: string
  /** What it does, as `--help` says it after the name. */
  readonly summary: string
  readonly roles: readonly Role[]
  /** Every role an inventory may hold vars for. */
  readonly allRoles: readonly Role[]
  /** Starts the throwaway VPS of an inventory that says `sandbox: true`. */
  readonly sandboxUp: (options: { progress: (line: string) => void }) => Promise<void>
}

/** Runs a playbook from the command line: the whole of a playbook script. */
export function play(playbook: Playbook): Promise<void> {
  return main(async () => {
    const options = parseOptions(
      scriptArguments(process.argv, process.env, `${playbook.name}.ts`),
      process.env,
      playbook.name,
    )
    if (options.help) {
      process.stdout.write(usage(playbook.name, playbook.summary))
      return 0
    }
    const started = performance.now()
    const roles = selectRoles(playbook.roles, options.tags)
    const inventory = await readInventory(options.inventory, playbook.allRoles)
    const hosts = selectHosts(inventory, options.limit)
    if (options.explain !== undefined) {
      const explained = explain(options.explain, await readYaml(inventory.file), hosts, playbook.allRoles)
      const text = options.json ? JSON.stringify({ explained }) : explainedText(explained)
      process.stdout.write(masked(`${text}\n`))
      return 0
    }
    const report = reporter(options)
    onInterrupt(() => {
      report.close()
      return report.underWay()
    })
    if (inventory.sandbox) await playbook.sandboxUp({ progress: report.line })

    if (inventory.sshConfig !== undefined && !existsSync(inventory.sshConfig))
      throw new InventoryError(`${inventory.file}: sshConfig: no such file: ${inventory.sshConfig}`)
    const claim = claimOf(playbook.name, options.wait)
    const run = { roles, options, report, sshConfig: inventory.sshConfig, claim }
    const results = await atMost(options.forks, hosts, (host) => runHost(host, run))
    report.close()
    const seconds = rounded((performance.now() - started) / 1000)
    const { check } = options
    const json = {
      playbook: playbook.name,
      check,
      seconds,
      hosts: resultJson(results, options),
      outputs: outputsJson(results),
    }
    process.stdout.write(
      masked(
        `${options.json ? JSON.stringify(json) : resultText(results, options, paintFor(process.stdout, process.env))}\n`,
      ),
    )
    return exitCodeOf(results, check)
  })
}

interface Run {
  readonly roles: readonly Role[]
  readonly options: Options
  readonly report: Reporter
  readonly sshConfig: string | undefined
  readonly claim: Claim
}

async function runHost(host: InventoryHost, { roles, options, report, sshConfig, claim }: Run): Promise<HostResult> {
  const started = performance.now()
  const { name, ssh, vars } = host
  let connection: Connection | undefined
  let owned: Owned = { resources: [], roleOf: () => '', sourceOf: () => undefined }
  let outcome: Outcome
  try {
    const login = connect({ name, ssh, sshConfig, acceptNew: options.acceptNew }, (line) =>
      report.line(`${name}  ${line}`),
    )
    connection = undisturbed(await report.login(login), report)
    report.connected(name, connection.facts)
    refuseUnsupported(connection.facts)
    owned = resourcesOf(roles, vars, connection.facts, host)
    const progress = report.progress(name)
    outcome = options.check
      ? await checkHost(connection, owned.resources, progress)
      : await applyHost(connection, owned.resources, progress, claim)
    if (outcome.error === undefined) {
      const credentials = await credentialsOf(owned.resources, connection, { reveal: options.showSecrets })
      outcome = { ...outcome, outputs: { ...outcome.outputs, ...credentials } }
    }
  } catch (error) {
    outcome = { changes: [], unknowns: [], outputs: {}, error: error instanceof RunnerError ? error : new Bug(error) }
  } finally {
    await connection?.close()
  }
  const result = {
    host: name,
    ...outcome,
    resources: owned.resources.length,
    unmanageable: owned.resources.flatMap(({ id, unmanageable }) =>
      unmanageable === undefined ? [] : [{ id, reason: unmanageable }],
    ),
    roleOf: owned.roleOf,
    sourceOf: owned.sourceOf,
    roundTrips: connection?.roundTrips ?? 0,
    seconds: (performance.now() - started) / 1000,
  }
  report.ended(result)
  return result
}

/** A connection whose further logins have the terminal for themselves, as the first one had. */
function undisturbed(connection: Connection, report: Reporter): Connection {
  return {
    ...connection,
    get roundTrips() {
      return connection.roundTrips
    },
    fresh: () => report.login(connection.fresh()),
  }
}

function selectRoles(roles: readonly Role[], tags: readonly string[]): readonly Role[] {
  const names = roles.map(({ name }) => name)
  for (const tag of tags) {
    if (names.includes(tag)) continue
    throw new UsageError(`unknown role "${tag}"${suggest(tag, names)}: this playbook has ${names.join(', ')}`)
  }
  return tags.length === 0 ? roles : roles.filter(({ name }) => tags.includes(name))
}
