// A grammY bot that answers nothing itself: each message is a job of the worker's.
import { createServer } from 'node:http'
import { Bot, webhookCallback } from 'grammy'
import { endWith, queue } from './queue.mjs'

const bot = new Bot(process.env.BOT_TOKEN)
bot.on('message:text', (ctx) => queue.add('answer', { chat: ctx.chat.id, text: ctx.message.text }))

const webhook = webhookCallback(bot, 'http', { secretToken: process.env.WEBHOOK_SECRET })
const server = createServer((request, response) => {
  if (request.url === '/healthz') return response.end('ok')
  return webhook(request, response)
})
server.listen(Number(process.env.PORT))
endWith(() => new Promise((done) => server.close(done)))
