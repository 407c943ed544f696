// Needs a VPS of its own: `busy`, and the sandbox's certificate authority and Telegram. Four bots that know nothing of botgarden get
// twenty updates a second each, every one from another person, while each of them is released: bounded to 600 updates a bot and release.
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { removeVps } from '../../../sandbox/index.ts'
import { resultOf } from '../../support/runner.ts'
import { type ForeignBot, foreignBotHost, foreignBots } from '../../support/vps/foreign-bots.ts'

const host = 'busy'
const { file, deploy, begin, telegram, called } = foreignBotHost(host)
let people = 0
const sent = Object.fromEntries(foreignBots.map((name) => [name, [] as number[]])) as Record<ForeignBot, number[]>

test.before(async () => {
  await begin()
  for (const name of foreignBots) {
    const run = await deploy(['--name', name], file())
    if (run.code !== 0) throw new Error(run.stdout + run.stderr)
  }
})
test.after(() => removeVps(host))

/** Telegram repeats what was not answered with 2xx; what a bot has taken and does not reply to is its own loss. */
async function unanswered(name: ForeignBot): Promise<number> {
  for (let tries = 0; ; tries++) {
    const { pending, sent: replies } = await telegram().report(called(name))
    const missing = sent[name].filter((chat) => replies.byChat[chat] === undefined).length
    if (pending === 0 && missing === 0) return 0
    if (tries >= 120) return pending > 0 ? Number.NaN : missing
    await pause(500)
  }
}

for (const released of foreignBots)
  test(`twenty updates a second to each of four bots, and ${released} is released: nothing is lost`, async () => {
    let going = true
    const load = foreignBots.map(async (name) => {
      const start = performance.now()
      for (let i = 0; going && i < 600; i++) {
        const chat = 100_000 + ++people
        sent[name].push(chat)
        await telegram().act(called(name), { chat, text: 'a word', language: 'en' })
        await pause(Math.max(0, start + (i + 1) * 50 - performance.now()))
      }
    })
    await pause(2000)
    const version = { [released]: { environment: { VERSION: String(people) } } }
    const result = await deploy(['--name', released], file(version))
    await pause(2000)
    going = false
    await Promise.all(load)
    assert.is(result.code, 0, resultOf(result, host).error)
    for (const name of foreignBots) {
      const lost = await unanswered(name)
      process.stdout.write(`  ${released} released: ${name} got ${sent[name].length}, ${lost} not answered\n`)
      assert.is(lost, 0, name)
      sent[name].length = 0
    }
  })

test.run()
