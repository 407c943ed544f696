import { inspect } from 'node:util'

/** An error that the operator must act on: printed as a message. Anything else is our bug and shows its stack. */
export abstract class RunnerError extends Error {
  /** The exit code of a run that ends with this error. */
  abstract readonly exitCode: number

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** The command line asks for something that does not exist or does not fit together. */
export class UsageError extends RunnerError {
  readonly exitCode = 1
}

/** The inventory, or a role's vars in it, is wrong. Several faults at once are one error, a line each. */
export class InventoryError extends RunnerError {
  readonly exitCode = 1
}

/** The host was not reached, or did not let us in: network, host key, login, sudo. */
export class ConnectError extends RunnerError {
  readonly exitCode = 4
}

/** This host cannot be brought to the wanted state as it is: unsupported, or in the way of what is wanted. */
export class HostError extends RunnerError {
  readonly exitCode = 3
  /** The resource whose plan says so. */
  id?: string
}

/** The step that an error is about. */
export interface FailedStep {
  readonly ids: readonly string[]
  /** As it may be shown. */
  readonly command: string
  /** The end of what it printed, stdout and stderr as they came. */
  readonly output: string
}

/** A command on the host ended with another exit code than 0. */
export class CommandFailed extends HostError {
  readonly where: string
  readonly status: number
  readonly step: FailedStep
  /** What followed from it. */
  readonly notes: string[] = []

  constructor(where: string, status: number, command: string, output: string, ids: readonly string[] = []) {
    super(`${where}: exit code ${status}: ${command}${output.trim() === '' ? '' : `\n${output.trim()}`}`)
    this.where = where
    this.status = status
    this.step = { ids, command, output: output.trim() }
  }

  /** The same error, with a line about what followed from it. */
  with(line: string): this {
    this.message += `\n${line}`
    this.notes.push(line)
    return this
  }
}

/** What was applied still differs when read again. */
export class NotConverged extends HostError {}

/** A bug of ours on one host, which must not hide the results of the others. */
export class Bug extends RunnerError {
  readonly exitCode = 70

  constructor(cause: unknown) {
    super(`this is a bug of botgarden:\n${inspect(cause)}`, { cause })
  }
}

/** The host has reverted a guarded change, since it was not confirmed over a new connection. */
export class Reverted extends RunnerError {
  readonly exitCode = 5
}
