// A bot that asks Telegram for nothing, and a worker: each says who it is and a number, ten times a second. At its start the bot
// prints what no log should show as it is.
import { readFileSync } from 'node:fs'

const [, , name] = process.argv
const { VERSION } = process.env
const say = (text) => process.stdout.write(`${name} ${VERSION} ${text}\n`)
let count = 0
const timer = setInterval(() => say(++count), 100)
process.on('SIGTERM', () => {
  clearInterval(timer)
  say(`ended after ${count}`)
})
if (name === 'bot') {
  say(`token ${readFileSync(process.env.BOT_TOKEN_FILE, 'utf8')}`)
  say('\u001b[31mred\u001b[0m \u001b]0;owned\u0007\u001b[2J\u001b[1A over it\rhidden')
  process.stderr.write('bot a warning on stderr\n')
}
