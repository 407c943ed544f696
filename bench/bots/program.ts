import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Telegram } from './telegram.ts'

/** What is measured: a bot that is set up by the variables of hello-bot. */
export interface Program {
  readonly name: string
  /** Arguments to node: options, and the script. */
  readonly main: readonly string[]
  readonly migrate?: readonly string[]
  readonly folder?: string
}

/** A copy of hello-bot, as its image starts it. */
export function copyOf(folder: string, name: string): Program {
  const main = /^CMD \["node", (.*)\]$/m.exec(readFileSync(join(folder, 'Dockerfile'), 'utf8'))?.[1]
  if (main === undefined) throw new Error(`${folder}/Dockerfile has no CMD ["node", …]`)
  return { name, folder, main: JSON.parse(`[${main}]`) as string[], migrate: ['src/migrate.ts'] }
}

export const secret = 'secret'

/** `options` are node's. */
export async function startProgram(
  { name, main, migrate, folder: cwd }: Program,
  database: string,
  api: Telegram,
  options: readonly string[] = [],
) {
  const port = api.webhookPort
  const env = {
    ...{ PATH: process.env.PATH, DATABASE_URL: database, TELEGRAM_API_ROOT: api.root, PORT: String(port) },
    ...{ BOT_TOKEN: '1:a', BOT_MODE: 'webhook', WEBHOOK_SECRET: secret },
  }
  if (migrate !== undefined) execFileSync(process.execPath, migrate, { cwd, env })
  const child = spawn(process.execPath, [...options, ...main], {
    cwd,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  for (let tries = 0; !(await isReady(port)); tries++) {
    if (tries > 200) throw new Error(`${name} is not ready after 20 s`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return {
    megabytes: () =>
      Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024),
    stop: async () => {
      child.kill('SIGTERM')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

async function isReady(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  )
}
