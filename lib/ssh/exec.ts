import type { Script } from '../shell/sh.ts'
import type { Connection } from './connection.ts'
import { collecting } from './sections.ts'

/** Runs a short script and returns what it printed. */
export async function ask(connection: Connection, script: Script): Promise<string> {
  const sections = collecting()
  await connection.request(() => script.text, { text: sections.handlers.text })
  return sections.text('')
}

/** Runs a script and passes on its output as it comes, without keeping it. Returns its exit status. */
export async function stream(connection: Connection, script: Script, sink: (bytes: Buffer) => void): Promise<number> {
  let failure: unknown
  const text = (bytes: Buffer) => {
    if (failure !== undefined) return
    try {
      sink(bytes)
    } catch (error) {
      failure = error
    }
  }
  const status = await connection.request(() => script.text, { text })
  if (failure !== undefined) throw failure
  return status
}
