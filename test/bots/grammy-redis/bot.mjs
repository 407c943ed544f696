// A bot as grammY's template makes it: a webhook with a secret of its own, and sessions in Redis.
import { createServer } from 'node:http'
import { RedisAdapter } from '@grammyjs/storage-redis'
import { Bot, session, webhookCallback } from 'grammy'
import IORedis from 'ioredis'

const { BOT_TOKEN, REDIS_URL, WEBHOOK_URL, WEBHOOK_SECRET } = process.env
const redis = new IORedis(REDIS_URL)
const bot = new Bot(BOT_TOKEN)
bot.use(session({ initial: () => ({ count: 0 }), storage: new RedisAdapter({ instance: redis }) }))
bot.on('message:text', async (ctx) => {
  ctx.session.count++
  await ctx.reply(`grammy: ${ctx.message.text}, message ${ctx.session.count}`)
})

const server = createServer(webhookCallback(bot, 'http', { secretToken: WEBHOOK_SECRET }))
server.listen(3000, async () => {
  await bot.api.setWebhook(WEBHOOK_URL, { secret_token: WEBHOOK_SECRET, allowed_updates: ['message'] })
})
process.once('SIGTERM', () => {
  server.close(async () => {
    await redis.quit()
    process.exit(0)
  })
})
