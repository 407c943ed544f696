// The bot of the shop: it opens the Mini App, and says that a payment has come, which the provider tells it.
import { createServer } from 'node:http'
import { Bot, InlineKeyboard, webhookCallback } from 'grammy'
import { isSigned } from './signed.mjs'

const { BOT_TOKEN, WEBHOOK_SECRET, PAYMENT_SECRET, SHOP_URL, PORT } = process.env
const bot = new Bot(BOT_TOKEN)
bot.command('start', (ctx) =>
  ctx.reply('Welcome', { reply_markup: new InlineKeyboard().webApp('Open the shop', SHOP_URL) }),
)
const webhook = webhookCallback(bot, 'http', { secretToken: WEBHOOK_SECRET })

async function paid(request, response) {
  const text = Buffer.concat(await request.toArray()).toString()
  if (!isSigned(PAYMENT_SECRET, text, request.headers['x-signature'])) return response.writeHead(401).end()
  const { user, item } = JSON.parse(text)
  await bot.api.sendMessage(user, `paid: ${item}`)
  response.writeHead(204).end()
}

const server = createServer((request, response) => {
  if (request.url === '/healthz') return response.end('ok')
  const answered = request.url === '/paid' ? paid(request, response) : webhook(request, response)
  answered.catch(() => response.destroy())
})
server.listen(Number(PORT))
process.once('SIGTERM', () => server.close(() => process.exit(0)))
