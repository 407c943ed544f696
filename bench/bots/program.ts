import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Telegram } from './telegram.ts'

/** What is measured: a script that is a bot by the variables of hello-bot. */
export interface Program {
  readonly name: string
  readonly script: string
  readonly migrate?: string
}

export const secret = 'secret'

export async function startProgram({ script, migrate }: Program, database: string, api: Telegram) {
  const port = api.webhookPort
  const env = {
    ...{ PATH: process.env.PATH, DATABASE_URL: database, TELEGRAM_API_ROOT: api.root, PORT: String(port) },
    ...{ BOT_TOKEN: '1:a', BOT_MODE: 'webhook', WEBHOOK_SECRET: secret },
  }
  if (migrate !== undefined) execFileSync(process.execPath, [migrate], { env })
  const child = spawn(process.execPath, [...(process.env.BENCH_NODE_OPTIONS?.split(' ') ?? []), script], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  for (let tries = 0; !(await isReady(port)); tries++) {
    if (tries > 200) throw new Error(`${script} is not ready after 20 s`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return {
    megabytes: () =>
      Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024),
    kill: (signal: 'SIGKILL') => child.kill(signal),
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
