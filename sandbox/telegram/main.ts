// A Telegram for the sandbox: `node main.ts`. Its options are in options.ts.
import { number, optionsOf } from './options.ts'
import { serve } from './server.ts'

const telegram = await serve(optionsOf(process.env), {
  host: process.env.TELEGRAM_HOST || '0.0.0.0',
  apiPort: number(process.env, 'TELEGRAM_PORT', 8081),
  controlPort: number(process.env, 'TELEGRAM_CONTROL_PORT', 8082),
})
process.stdout.write(`Bot API on port ${telegram.apiPort}, control on port ${telegram.controlPort}\n`)

// As the first process of a container it gets no signal that it does not ask for.
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    await telegram.close()
    process.exit(0)
  })
}
