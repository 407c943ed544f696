// A Telegram for the sandbox: `node main.ts`. Its options are in options.ts.
import { readFileSync } from 'node:fs'
import { number, optionsOf } from './options.ts'
import { serve } from './server.ts'

/** The folder with the certificate of api.telegram.org, in PEM. */
const folder = process.env.TELEGRAM_TLS
const pem = (name: string) => readFileSync(`${folder}/${name}.pem`, 'utf8')
const tls = folder && { cert: pem('cert'), key: pem('key'), port: number(process.env, 'TELEGRAM_TLS_PORT', 443) }

const telegram = await serve(optionsOf(process.env), {
  host: process.env.TELEGRAM_HOST || '0.0.0.0',
  apiPort: number(process.env, 'TELEGRAM_PORT', 8081),
  controlPort: number(process.env, 'TELEGRAM_CONTROL_PORT', 8082),
  ...(tls && { tls }),
})
const secure = telegram.tlsPort === undefined ? '' : `, by HTTPS on port ${telegram.tlsPort}`
process.stdout.write(`Bot API on port ${telegram.apiPort}${secure}, control on port ${telegram.controlPort}\n`)

// As the first process of a container it gets no signal that it does not ask for.
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    await telegram.close()
    process.exit(0)
  })
}
