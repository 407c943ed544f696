// A job that notes its beginning and its end in a file that lasts: `node job.mjs NAME SECONDS [EXIT-CODE]`. With the word `go` in
// place of the seconds it ends when there is a file of this name.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'

const [name, until, code = '0'] = process.argv.slice(2)
const version = readFileSync('version.txt', 'utf8').trim()
const note = (what) => appendFileSync('data/runs', `${what} ${name} ${version} ${Math.floor(Date.now() / 1000)}\n`)
const say = (text) => process.stdout.write(`${text}\n`)
const token = readFileSync(process.env.BOT_TOKEN_FILE, 'utf8').trim()

note('begin')
say(`${name} ${version} begins as ${process.getuid()} at ${networkInterfaces().eth0?.[0]?.address}`)
say(`the variable is the token: ${process.env.JOB_TOKEN === token}`)
if (until === 'go') while (!existsSync('data/go')) await pause(200)
else await pause(Number(until) * 1000)
note('end')
if (code !== '0') process.stderr.write(`${name} could not do it\n`)
process.exitCode = Number(code)
