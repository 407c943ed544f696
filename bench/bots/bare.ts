// The least that does the same work, with no promise at all: one statement, one call, no framework.
import { Agent, createServer, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { Pool } from 'pg'

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 4 })
await pool.query('create table if not exists users (id bigint primary key, greetings integer not null default 1)')
const agent = new Agent({ keepAlive: true })
const api = new URL(`${process.env.TELEGRAM_API_ROOT}/bot${process.env.BOT_TOKEN}/sendMessage`)

createServer(async (incoming, response) => {
  const body = await text(incoming)
  if (incoming.method === 'POST') await take(JSON.parse(body) as { message: { chat: { id: number } } })
  response.end()
}).listen(Number(process.env.PORT), '127.0.0.1')

async function take({ message }: { message: { chat: { id: number } } }): Promise<void> {
  await pool.query(
    'insert into users (id) values ($1) on conflict (id) do update set greetings = users.greetings + 1',
    [message.chat.id],
  )
  await call(JSON.stringify({ chat_id: message.chat.id, text: 'Hello!' }))
}

function call(body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }
    const sending = request(api, { agent, method: 'POST', headers }, (answer) => {
      answer.resume()
      answer.on('end', resolve)
    })
    sending.on('error', reject)
    sending.end(body)
  })
}
