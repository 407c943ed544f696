import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import * as v from 'valibot'

/*
 * How the hosts of an inventory were found by the last run or check of all roles from this machine. It is kept here and not on
 * the host: a check writes nothing there, and a run with nothing to change stays one round trip.
 */

const schema = v.object({
  at: v.number(),
  /** The ids of what differed, and still does. */
  differences: v.pipe(v.array(v.string()), v.maxLength(2000)),
})

export type LastCheck = v.InferOutput<typeof schema>

/** How a host was found. A run that has ended well leaves no difference. */
export interface Checked {
  readonly host: string
  readonly differences: readonly string[]
}

/** Notes how these hosts were found. That nothing can be written here is no reason for a run to fail. */
export function noteChecks(inventory: string, checked: readonly Checked[], env = process.env, now = Date.now()): void {
  for (const { host, differences } of checked) {
    const file = fileOf(inventory, host, env)
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      writeFileSync(`${file}.${process.pid}`, JSON.stringify({ at: now, differences: differences.slice(0, 2000) }), {
        mode: 0o600,
      })
      renameSync(`${file}.${process.pid}`, file)
    } catch {
      return
    }
  }
}

/** Undefined where this machine has not checked the host, or what it has noted cannot be read. */
export function lastCheckOf(inventory: string, host: string, env = process.env): LastCheck | undefined {
  try {
    return v.parse(schema, JSON.parse(readFileSync(fileOf(inventory, host, env), 'utf8')))
  } catch {
    return undefined
  }
}

function fileOf(inventory: string, host: string, env: NodeJS.ProcessEnv): string {
  const cache = env.XDG_CACHE_HOME || join(homedir(), '.cache')
  const folder = createHash('sha256').update(resolve(inventory)).digest('hex').slice(0, 16)
  return join(cache, 'botgarden/checks', folder, `${host}.json`)
}
