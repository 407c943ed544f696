// A bot as the first pages of grammY's guide have it, and one statement: no transaction, no duplicates found, no retries.
import { createServer } from 'node:http'
import { Bot, webhookCallback } from 'grammy'
import { Pool } from 'pg'

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 4 })
await pool.query('create table if not exists users (id bigint primary key, greetings integer not null default 1)')
const bot = new Bot(process.env.BOT_TOKEN ?? '', { client: { apiRoot: process.env.TELEGRAM_API_ROOT ?? '' } })
bot.command('start', async (ctx) => {
  await pool.query(
    'insert into users (id) values ($1) on conflict (id) do update set greetings = users.greetings + 1',
    [ctx.from?.id],
  )
  await ctx.reply('Hello!')
})
await bot.init()
const handle = webhookCallback(bot, 'http', { secretToken: process.env.WEBHOOK_SECRET ?? '' })

createServer((request, response) => {
  if (request.method === 'POST') void handle(request, response)
  else response.end()
}).listen(Number(process.env.PORT), '127.0.0.1')
