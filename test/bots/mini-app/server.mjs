// A bot with a Mini App: Telegram's updates, the api of the page, a payment provider that calls back, and a websocket.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'

const { BOT_TOKEN_FILE, WEBHOOK_SECRET_FILE, TELEGRAM_API_ROOT, PORT, VERSION = '1' } = process.env
const [token, secret] = [BOT_TOKEN_FILE, WEBHOOK_SECRET_FILE].map((file) => readFileSync(file, 'utf8'))
const large = Buffer.alloc(20 * 2 ** 20, 'x')

/** Who has opened the Mini App, by what Telegram signed; undefined where it did not. */
function userIn(initData) {
  const given = new URLSearchParams(initData)
  const hash = Buffer.from(given.get('hash') ?? '', 'hex')
  given.delete('hash')
  const lines = [...given].map(([name, value]) => `${name}=${value}`).sort()
  const key = createHmac('sha256', 'WebAppData').update(token).digest()
  const signed = createHmac('sha256', key).update(lines.join('\n')).digest()
  if (hash.length !== signed.length || !timingSafeEqual(hash, signed)) return undefined
  return JSON.parse(given.get('user') ?? '{}')
}

async function update(request, response) {
  if (request.headers['x-telegram-bot-api-secret-token'] !== secret) return response.writeHead(401).end()
  const { message } = JSON.parse(Buffer.concat(await request.toArray()).toString())
  const body = JSON.stringify({ chat_id: message.chat.id, text: `mini-app ${VERSION}: ${message.text}` })
  const headers = { 'content-type': 'application/json' }
  await fetch(`${TELEGRAM_API_ROOT}/bot${token}/sendMessage`, { method: 'POST', headers, body })
  response.writeHead(200).end()
}

async function size(request) {
  let bytes = 0
  for await (const chunk of request) bytes += chunk.length
  return bytes
}

const json = (response, status, value) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))

async function api(request, response) {
  const { method, headers, url } = request
  if (url === '/webhook') return update(request, response)
  if (url === '/api/health') return response.writeHead(200).end()
  if (url === '/api/me') {
    const user = userIn(headers.authorization?.replace(/^tma /, ''))
    return user === undefined ? json(response, 401, {}) : json(response, 200, { user })
  }
  if (url === '/upload') return json(response, 200, { bytes: await size(request) })
  if (url === '/api/large') return response.writeHead(200).end(large)
  if (url === '/api/framed') return response.writeHead(200, { 'content-security-policy': "default-src 'self'" }).end()
  json(response, 200, { version: VERSION, port: PORT, method, url, headers, bytes: await size(request) })
}

const server = createServer((request, response) => {
  api(request, response).catch(() => response.destroy())
})
const sockets = new WebSocketServer({ server, path: '/api/socket', maxPayload: 65_536 })
sockets.on('connection', (socket) => socket.on('message', (text) => socket.send(`${VERSION}: ${text}`)))
server.listen(PORT)
process.once('SIGTERM', () => {
  for (const socket of sockets.clients) socket.close(1001)
  server.close(() => process.exit(0))
})
