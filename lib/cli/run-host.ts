import { type CollectedResources, resourcesOf } from '../engine/collect-resources.ts'
import { applyHost, checkHost, type Outcome, type Prepare } from '../engine/converge.ts'
import { credentialsOf } from '../engine/credentials.ts'
import type { LockRequest } from '../engine/host-lock.ts'
import type { PlannedChange } from '../engine/plan.ts'
import type { InventoryHost } from '../inventory/inventory.ts'
import type { Role } from '../model/role.ts'
import type { Reporter } from '../report/progress.ts'
import type { HostResult } from '../report/result.ts'
import { type Connection, connect } from '../ssh/connection.ts'
import { refuseUnsupported } from '../ssh/read-facts.ts'
import { Bug, CommandFailed, HostError, RunnerError } from '../std/errors.ts'
import type { Options } from './options.ts'

export interface Run {
  readonly options: Options
  readonly report: Reporter
  readonly sshConfig: string | undefined
  readonly claim: LockRequest
}

/** The roles of a host, or a question to it that they depend on. */
export type Roles = readonly Role[] | ((host: InventoryHost, connection: Connection) => Promise<readonly Role[]>)

/** What is done for the planned changes of a host, before they are checked or applied. */
export type PrepareHost = (
  host: InventoryHost,
  connection: Connection,
  changes: readonly PlannedChange[],
  /** The ids of what is decided after these changes. */
  unknown: readonly string[],
) => Promise<void>

/** What is done when a host has been checked or applied, however that went. */
export type HostEnded = (host: InventoryHost, result: HostResult) => Promise<void>

/** Logs in to a host; what is said meanwhile goes to the report. */
export async function login(
  { name, ssh }: InventoryHost,
  { options, report, sshConfig }: Run,
  { quiet = false } = {},
): Promise<Connection> {
  const connecting = connect({ name, ssh, sshConfig, acceptNew: options.acceptNew }, (line) =>
    report.line(`${name}  ${line}`),
  )
  const connection = withTerminal(await report.login(connecting), report)
  if (!quiet) report.connected(name, connection.facts)
  try {
    refuseUnsupported(connection.facts)
    return connection
  } catch (error) {
    await connection.close()
    throw error
  }
}

/** Brings one host to the wanted state, or checks it. Its errors are part of the result. */
export async function runHost(
  host: InventoryHost,
  roles: Roles,
  run: Run,
  prepareHost: PrepareHost = async () => {},
): Promise<HostResult> {
  const started = performance.now()
  const { name, vars } = host
  const { options, report, claim } = run
  let connection: Connection | undefined
  let owned: CollectedResources = { resources: [], roleOf: () => '', sourceOf: () => undefined }
  let outcome: Outcome
  try {
    const opened = await login(host, run)
    connection = opened
    const wanted = typeof roles === 'function' ? await roles(host, opened) : roles
    owned = resourcesOf(wanted, vars, opened.facts, host)
    const progress = report.progress(name)
    const prepare: Prepare = (changes, unknown) => prepareHost(host, opened, changes, unknown)
    outcome = options.check
      ? await checkHost(opened, owned.resources, progress, prepare)
      : await applyHost(opened, owned.resources, progress, claim, prepare)
    if (outcome.error === undefined) {
      const credentials = await credentialsOf(owned.resources, opened, { reveal: options.showSecrets })
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
    ...sourcesOf(owned, outcome.error),
    roundTrips: connection?.roundTrips ?? 0,
    seconds: (performance.now() - started) / 1000,
  }
  report.ended(result)
  return result
}

/** Where what is reported came from. It does not keep the resources, since a run may have many hosts. */
function sourcesOf({ resources, roleOf, sourceOf }: CollectedResources, error: RunnerError | undefined) {
  const roles = new Map(resources.map(({ id }) => [id, roleOf(id)]))
  const failed = error instanceof CommandFailed ? error.step.ids : error instanceof HostError ? [error.id ?? ''] : []
  const lines = new Map(failed.map((id) => [id, sourceOf(id)]))
  return { roleOf: (id: string) => roles.get(id) ?? '', sourceOf: (id: string) => lines.get(id) }
}

/** A connection whose further logins have the terminal for themselves, as the first one had. */
function withTerminal(connection: Connection, report: Reporter): Connection {
  return {
    ...connection,
    get roundTrips() {
      return connection.roundTrips
    },
    fresh: () => report.login(connection.fresh()),
  }
}
