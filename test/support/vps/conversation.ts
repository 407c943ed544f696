import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'

const project = resolve(import.meta.dirname, '../../..')

/** The operator's `sandbox.ts chat` with a bot, that stays open while something else happens. */
export function converse(bot: string, chatId: number) {
  const words = ['playbooks/sandbox.ts', 'chat', bot, '--as', String(chatId)]
  const child = spawn(process.execPath, [join(project, 'node_modules/zx/build/cli.js'), ...words], {
    cwd: project,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let shown = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      shown += chunk
    })
  const closed = once(child, 'close')
  return {
    type: (...lines: readonly string[]) => void child.stdin.write(lines.map((line) => `${line}\n`).join('')),
    /** What it has shown by the time that this is in it. */
    until: async (text: RegExp): Promise<string> => {
      while (!text.test(shown) && child.exitCode === null) await Promise.race([once(child.stdout, 'data'), closed])
      return shown
    },
    /** Ends the input, and returns all that it has shown. */
    end: async (): Promise<string> => {
      child.stdin.end()
      await closed
      return shown
    },
  }
}
