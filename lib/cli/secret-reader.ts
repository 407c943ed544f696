import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import type { SecretSource } from '../model/secret-source.ts'
import { local } from '../shell/local.ts'
import { InventoryError } from '../std/errors.ts'
import { operatorFolder } from '../std/local-path.ts'

/** The value of a secret; undefined where its variable is not set. Throws an `InventoryError` where its command fails. */
export type ReadSecret = (source: SecretSource, key: string) => Promise<string | undefined>

/** Reads secrets for one run: a command that several of them name is run once. */
export function secretReader(): ReadSecret {
  const outputs = new Map<string, Promise<string>>()
  return async (source, key) => {
    if ('env' in source) return variable(source.env)
    const output = outputs.get(source.command) ?? outputOf(source.command, key)
    outputs.set(source.command, output)
    return output
  }
}

/** Reads only the secrets that this machine has without running a command for them. */
export const readWithoutCommand: ReadSecret = async (source) => ('env' in source ? variable(source.env) : undefined)

/** A variable of the operator's: of the environment, or of the `.env` file where the paths of the inventory start. */
export async function variable(name: string): Promise<string | undefined> {
  return (process.env[name] ?? (await envFile(operatorFolder()))[name])?.trim()
}

/** The variables of the `.env` file in a folder; none where there is no such file. */
export async function envFile(folder: string | undefined): Promise<NodeJS.Dict<string>> {
  const path = folder === undefined ? undefined : join(folder, '.env')
  return path !== undefined && existsSync(path) ? parseEnv(await readFile(path, 'utf8')) : {}
}

async function outputOf(command: string, key: string): Promise<string> {
  const quiet = local({ quiet: true, nothrow: true, cwd: operatorFolder() })
  const { exitCode, stdout, stderr } = await quiet`sh -c ${command} </dev/null`
  if (exitCode !== 0)
    throw new InventoryError(`${key}: the command ended with exit code ${exitCode}: ${command}\n${stderr.trim()}`)
  if (stdout.includes('\0'))
    throw new InventoryError(`${key}: the command prints a NUL byte, but a secret must be text: print it as base64`)
  return stdout.trim()
}
