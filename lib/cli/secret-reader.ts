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
    if ('env' in source) return process.env[source.env]?.trim()
    const output = outputs.get(source.command) ?? outputOf(source.command, key)
    outputs.set(source.command, output)
    return output
  }
}

/** Reads only the secrets that this machine has without running a command for them. */
export const readWithoutCommand: ReadSecret = async (source) =>
  'env' in source ? process.env[source.env]?.trim() : undefined

async function outputOf(command: string, key: string): Promise<string> {
  const quiet = local({ quiet: true, nothrow: true, cwd: operatorFolder() })
  const { exitCode, stdout, stderr } = await quiet`sh -c ${command} </dev/null`
  if (exitCode !== 0)
    throw new InventoryError(`${key}: the command ended with exit code ${exitCode}: ${command}\n${stderr.trim()}`)
  if (stdout.includes('\0'))
    throw new InventoryError(`${key}: the command prints a NUL byte, but a secret must be text: print it as base64`)
  return stdout.trim()
}
