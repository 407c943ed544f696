import { existsSync, readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { blank } from './bots.ts'
import type { State } from './state.ts'

/** Where the state is kept, if anywhere. */
export interface Store {
  /** Has the state written within moments. */
  soon(): void
  /** Has it written now. */
  flush(): Promise<void>
}

export function loadState(file: string | undefined): State {
  if (file === undefined || !existsSync(file)) return { bots: [] }
  const { bots }: State = JSON.parse(readFileSync(file, 'utf8'))
  // What an older version did not know yet.
  return { bots: bots.map((bot) => ({ ...blank(), ...bot })) }
}

export function storeIn(file: string | undefined, state: State): Store {
  if (file === undefined) return { soon: () => {}, flush: async () => {} }
  let timer: NodeJS.Timeout | undefined
  let written = Promise.resolve()
  let took = 0
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    // One after the other: two at once would write into one draft.
    written = written.then(async () => {
      const started = performance.now()
      await write(file, state)
      took = performance.now() - started
    })
    return written
  }
  const soon = () => {
    // A large state less often: under load there is a change at any time.
    timer ??= setTimeout(flush, Math.max(100, 10 * took))
  }
  return { soon, flush }
}

async function write(file: string, state: State): Promise<void> {
  try {
    // Written beside and renamed: after a cut in between the old state is there, whole.
    await writeFile(`${file}.draft`, JSON.stringify(state), { mode: 0o600 })
    await rename(`${file}.draft`, file)
  } catch (error) {
    process.stderr.write(`${file}: ${(error as Error).message}\n`)
  }
}
