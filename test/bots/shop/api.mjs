// The api of the Mini App. Who orders is what Telegram says in the launch data, which it signs with the token of the bot.
import { createServer } from 'node:http'
import { Api } from 'grammy'
import { isSigned, signatureOf } from './signed.mjs'

const { BOT_TOKEN, PORT } = process.env
const telegram = new Api(BOT_TOKEN)
const key = signatureOf('WebAppData', BOT_TOKEN)
const goods = { tea: 3, coffee: 4 }
const longestSeconds = 3600

/** The person who opened the Mini App; undefined where Telegram did not say so, or said so long ago. */
function personIn(initData) {
  const fields = new URLSearchParams(initData)
  const { hash, ...signed } = Object.fromEntries(fields)
  const lines = Object.entries(signed).map(([name, value]) => `${name}=${value}`)
  if (!isSigned(key, lines.sort().join('\n'), hash)) return undefined
  if (Date.now() / 1000 - Number(signed.auth_date) > longestSeconds) return undefined
  return JSON.parse(signed.user)
}

async function order(request) {
  const person = personIn(request.headers.authorization?.replace(/^tma /, ''))
  if (person === undefined) return [401, { error: 'not opened by Telegram' }]
  const { item } = JSON.parse(Buffer.concat(await request.toArray()).toString())
  if (!Object.hasOwn(goods, item)) return [404, { error: 'no such item' }]
  await telegram.sendMessage(person.id, `ordered: ${item}`)
  return [200, { item }]
}

const answers = {
  'GET /api/health': () => [200, {}],
  'GET /api/goods': () => [200, goods],
  'POST /api/order': order,
}

async function answer(request, response) {
  const [status, body] = (await answers[`${request.method} ${request.url}`]?.(request)) ?? [404, {}]
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy())
})
server.listen(Number(PORT))
process.once('SIGTERM', () => server.close(() => process.exit(0)))
