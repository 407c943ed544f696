// Keeps notes in SQLite and says how many there are. The version `broken` forgets them all, and is never well.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { DatabaseSync } from 'node:sqlite'

const { BOT_TOKEN_FILE, WEBHOOK_SECRET_FILE, TELEGRAM_API_ROOT, PORT } = process.env
const [token, secret] = [BOT_TOKEN_FILE, WEBHOOK_SECRET_FILE].map((file) => readFileSync(file, 'utf8'))
const version = readFileSync('version.txt', 'utf8').trim()
const db = new DatabaseSync('data/notes.db')
db.exec('pragma journal_mode = wal; create table if not exists notes (text)')
if (version === 'broken') db.exec('delete from notes')

/** How often it was asked, by what Redis counts. */
function hits() {
  const { hostname, port, password } = new URL(process.env.REDIS_URL)
  return new Promise((resolve, reject) => {
    let said = ''
    const socket = connect(Number(port), hostname, () => socket.write(`AUTH ${password}\r\nINCR hits\r\nQUIT\r\n`))
    socket.on('data', (chunk) => (said += chunk)).on('error', reject)
    socket.on('close', () => resolve(said.match(/:(\d+)/)?.[1] ?? said))
  })
}

async function answerTo(text) {
  if (text === '/version') return version
  if (text === '/hits') return `${await hits()} hits`
  if (text === '/welcome') return readFileSync('data/welcome.txt', 'utf8').trim()
  if (text !== '/count') db.prepare('insert into notes values (?)').run(text)
  return `${db.prepare('select count(*) as count from notes').get().count} notes`
}

async function reply({ message }) {
  const body = JSON.stringify({ chat_id: message.chat.id, text: await answerTo(message.text) })
  const headers = { 'content-type': 'application/json' }
  await fetch(`${TELEGRAM_API_ROOT}/bot${token}/sendMessage`, { method: 'POST', headers, body })
}

createServer(async (request, response) => {
  if (request.method === 'GET') return response.writeHead(version === 'broken' ? 503 : 200).end()
  if (request.headers['x-telegram-bot-api-secret-token'] !== secret) return response.writeHead(401).end()
  await reply(JSON.parse(Buffer.concat(await request.toArray()).toString()))
  response.writeHead(200).end()
}).listen(Number(PORT))
process.on('SIGTERM', () => {
  db.close()
  process.exit()
})
