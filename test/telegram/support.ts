import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { telegramAt } from '../../sandbox/telegram/client.ts'
import type { Tls } from '../../sandbox/telegram/http.ts'
import { type Options, optionsOf } from '../../sandbox/telegram/options.ts'
import { serve } from '../../sandbox/telegram/server.ts'

export const folder = mkdtempSync(join(tmpdir(), 'botgarden-telegram.'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

const open = new Set<() => Promise<void>>()

/** Ends what a test has started: after each, whether it failed or not, or the process would stay. */
export async function endAll(): Promise<void> {
  for (const end of open) await end()
}

/** Waits are next to nothing, and a day is 8.6 s. */
export const fast = { timeScale: 1e-4 }

const loopback = { host: '127.0.0.1', apiPort: 0, controlPort: 0 }

/** A Telegram on loopback, a hundred times as fast, with one bot in it. */
export async function telegram(options: Partial<Options> = {}, tls?: Tls & { readonly port: number }) {
  const standard = { ...optionsOf({}), allow: ['127.0.0.0/8'], timeScale: 0.01, responseTimeout: 5 }
  const server = await serve({ ...standard, ...options }, { ...loopback, ...(tls && { tls }) })
  const client = telegramAt(`http://127.0.0.1:${server.controlPort}`)
  const { token } = await client.ensureBot('hello-bot')
  const apiRoot = `http://127.0.0.1:${server.apiPort}`
  const call = (method: string, args: object = {}) => callApi(`${apiRoot}/bot${token}/${method}`, args)
  return { client, token, apiRoot, tlsPort: server.tlsPort, call, close: endable(server.close) }
}

/** A Telegram in which person 7 has written to the bot, which has seen it. */
export async function withPerson(options: Partial<Options> = {}) {
  const it = await telegram(options)
  const { call, client } = it
  await client.act('hello-bot', { chat: 7, text: 'hi' })
  const [hi] = (await call('getUpdates')).result
  await call('getUpdates', { offset: hi.update_id + 1 })
  let last = hi.update_id
  /** The updates since the last ones. */
  const updates = async () => {
    const { result } = await call('getUpdates', { offset: last + 1 })
    last = result.at(-1)?.update_id ?? last
    return result
  }
  return { ...it, hi, updates }
}

/** A picture of one pixel. */
export const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** A form with texts, and with files by their field. */
export function upload(args: Record<string, string>, files: Record<string, [name: string, content: Buffer | string]>) {
  const form = new FormData()
  for (const [name, value] of Object.entries(args)) form.set(name, value)
  for (const [field, [name, content]] of Object.entries(files))
    form.set(field, new Blob([typeof content === 'string' ? content : new Uint8Array(content)]), name)
  return form
}

function endable(end: () => Promise<void>): () => Promise<void> {
  const once = async () => {
    if (open.delete(once)) await end()
  }
  open.add(once)
  return once
}

/** The answer to a method of the Bot API; a form is sent as one, anything else as JSON. */
export async function callApi(url: string, args: object = {}) {
  const body = args instanceof FormData ? args : JSON.stringify(args)
  const headers = args instanceof FormData ? {} : { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body })
  return (await response.json()) as {
    ok: boolean
    // biome-ignore lint/suspicious/noExplicitAny: whatever the method returns
    result?: any
    description?: string
    error_code?: number
    parameters?: { retry_after: number }
  }
}

/** A self-signed certificate for a name, or for the address that is one; the subject may be another. */
export function makePair(name: string, subject = name): { cert: string; key: string; certFile: string } {
  const file = join(folder, `${++made}`)
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const names = ['-subj', `/CN=${subject}`, '-addext', `subjectAltName=${/^[\d.]+$/.test(name) ? 'IP' : 'DNS'}:${name}`]
  const files = ['-keyout', `${file}.key`, '-out', `${file}.pem`]
  execFileSync('openssl', ['req', ...kind, ...names, ...files], { stdio: 'ignore' })
  return {
    cert: readFileSync(`${file}.pem`, 'utf8'),
    key: readFileSync(`${file}.key`, 'utf8'),
    certFile: `${file}.pem`,
  }
}
let made = 0

/** What a webhook got. */
export interface Got {
  readonly update: { readonly update_id: number; readonly message?: Message; readonly callback_query?: Query }
  readonly headers: IncomingMessage['headers']
  readonly socket: Socket & { readonly servername?: string }
}
interface Message {
  readonly text: string
  readonly from: object
  readonly entities?: object
}
interface Query {
  readonly id: string
  readonly data: string
}
type Reply = (got: Got, response: ServerResponse) => unknown

/** A webhook on one of Telegram's ports, on an address of its own: tests that run at once do not meet. */
export async function webhook(
  reply: Reply = (_, response) => response.end(),
  { name, subject, ...tls }: { name?: string; subject?: string } & ServerOptions = {},
) {
  const address = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`
  const { cert, key, certFile } = makePair(name ?? address, subject ?? name ?? address)
  const got: Got[] = []
  const server = createServer({ cert, key, ...tls }, async (request, response) => {
    const body = await text(request)
    const one = { update: JSON.parse(body || '{}'), headers: request.headers, socket: request.socket }
    got.push(one)
    await reply(one, response)
  })
  server.listen(8443, address)
  await once(server, 'listening')
  return {
    url: `https://${address}:8443/tg/hello-bot`,
    texts: () => got.map(({ update }) => update.message?.text),
    ...{ address, cert, certFile, got },
    close: endable(async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    }),
  }
}

/** Looks until it is true, for twenty seconds at most. */
export async function until(look: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`not within 20 s: ${look}`)
    await sleep(3)
  }
}

/** setWebhook's parameters as a form, with the certificate uploaded. */
export function formOf(args: Record<string, string>, certificate: string): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(args)) form.set(name, value)
  form.set('certificate', new Blob([certificate]), 'cert.pem')
  return form
}
