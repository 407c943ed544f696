// A bot whose webhook has its token at its end, as python-telegram-bot and many of Telegraf's users have it.
import { createServer } from 'node:http'

const { BOT_TOKEN, WEBHOOK_URL, WEBHOOK_PATH, TELEGRAM_API_ROOT, PORT } = process.env
let count = 0

async function call(method, body) {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${TELEGRAM_API_ROOT}/bot${BOT_TOKEN}/${method}`, {
    ...{ method: 'POST', headers, body: JSON.stringify(body) },
  })
  if (!answer.ok) throw new Error(`${method}: ${answer.status}`)
}

createServer(async (request, response) => {
  if (request.method === 'GET') return response.writeHead(200).end()
  if (request.url !== `${WEBHOOK_PATH}/${BOT_TOKEN}`) return response.writeHead(404).end()
  const { message } = JSON.parse(Buffer.concat(await request.toArray()).toString())
  await call('sendMessage', { chat_id: message.chat.id, text: `token-path: ${message.text}, number ${++count}` })
  response.writeHead(200).end()
}).listen(Number(PORT), () => call('setWebhook', { url: `${WEBHOOK_URL}/${BOT_TOKEN}` }))
process.on('SIGTERM', () => process.exit())
