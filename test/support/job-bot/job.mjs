// A job that notes its beginning and its end in a file that lasts: `node job.mjs NAME SECONDS [EXIT-CODE]`.
import { appendFileSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'

const [name, seconds, code = '0'] = process.argv.slice(2)
const version = readFileSync('version.txt', 'utf8').trim()
const note = (what) => appendFileSync('data/runs', `${what} ${name} ${version} ${Math.floor(Date.now() / 1000)}\n`)
const token = readFileSync(process.env.BOT_TOKEN_FILE, 'utf8').trim()

note('begin')
console.log(`${name} ${version} begins as ${process.getuid()} at ${networkInterfaces().eth0?.[0]?.address}`)
console.log(`the variable is the token: ${process.env.JOB_TOKEN === token}`)
await pause(Number(seconds) * 1000)
note('end')
if (code !== '0') console.error(`${name} could not do it`)
process.exit(Number(code))
