// Needs a VPS of its own: `store`, the sandbox's certificate authority, its Telegram as https://api.telegram.org, and Chromium, which it
// installs. A shop of a bot, an api and a Mini App on its own domain: it is opened from `chat` and clicked, and released under load.
import { createHash, createHmac } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { connect } from 'node:tls'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { acmeRoots, removeVps } from '../../../sandbox/index.ts'
import { type Browser, openBrowser } from '../../support/chromium/browser.ts'
import { ensureChromium } from '../../support/chromium/install.ts'
import { type Run, resultOf } from '../../support/runner.ts'
import { botHost } from '../../support/vps/bot-host.ts'
import { converse } from '../../support/vps/conversation.ts'
import { asking } from '../../support/vps/https-request.ts'
import { addressOf } from '../../support/vps/ssh.ts'
import { steadily } from '../../support/vps/steady.ts'

const host = 'store'
const domain = `shop.${host}.sandbox`
const page = `https://${domain}/`
const source = resolve(import.meta.dirname, '../../bots/shop')
const folder = mkdtempSync(join(tmpdir(), 'shop-test-'))
const paymentSecret = 'known-to-the-provider'
const { bots, tokens, called, inventory, site, deploy, changed, answer, beginWith, inside, telegram } = botHost(host, [
  'shop',
])
delete bots['hello-bot']
const file = (entry: object = {}) =>
  inventory(
    {
      shop: {
        ...{ host, source, domains: [domain] },
        secrets: { PAYMENT_SECRET: { command: `echo ${paymentSecret}` } },
        ...entry,
      },
    },
    { domain: `${host}.sandbox` },
    { caFile: '/etc/ssl/certs/ca-certificates.crt' },
  )
const release = (entry: object = {}, ...args: string[]) => deploy(['--name', 'shop', ...args], file(entry))
const done = (result: Run) => assert.is(result.code, 0, resultOf(result, host).error)
// A number of its own for each person: the sandbox's Telegram remembers those of earlier runs.
let people = Math.floor(Date.now() / 1000)
let target: Parameters<typeof asking>[0]
let ask: ReturnType<typeof asking>
let browser: Browser

test.before(async () => {
  await ensureChromium((line) => process.stdout.write(`${line}\n`))
  await beginWith({ file: file() })
  target = { address: await addressOf(host), name: domain, ca: await acmeRoots() }
  ask = asking(target)
})
test.after(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true })
  await removeVps(host)
})

/** What the bot has written to a person. */
const told = async (person: number) =>
  (await telegram().chat(called('shop'), person)).filter(({ from }) => from === 'bot').map(({ text }) => text)

test('a check lists what the first release does, and then nothing is left to do', async () => {
  const check = resultOf(await release({}, '--check'), host)
  const first = await release()
  done(first)
  assert.equal(changed(first).sort(), [...check.ids, ...check.unknownIds].sort())
  for (const again of [await release(), await site(file())]) {
    const { changed: count, unknown, roundTrips, error } = resultOf(again, host)
    assert.equal([count, unknown, roundTrips, error], [0, 0, 1, undefined])
  }
})

test('a button in the chat opens the Mini App, a click there orders, and the bot says so in the chat', async () => {
  browser = await openBrowser({ [domain]: target.address }, [await verifiedKey()])
  const person = people++
  const chat = converse(called('shop'), person)
  chat.type('/start', '#1')
  const shown = await chat.until(/^https:\S+\n/m)
  assert.match(shown, '[1] Open the shop (app)')
  const url = /^https:\S+$/m.exec(shown)?.[0] ?? ''
  assert.ok(url.startsWith(`${page}#tgWebAppData=query_id%3D`), shown)

  assert.is(await orderAt(url), 'ordered: tea')
  assert.equal(await told(person), ['Welcome', 'ordered: tea'])
  chat.type('/start')
  assert.match(await chat.end(), /^ordered: tea\nWelcome\n/m)
})

test('launch data that was altered, is of another bot or two hours old, or is missing, orders nothing', async () => {
  const [person, other] = [people++, people++]
  for (const each of [person, other]) assert.is(await answer('/start', 'shop', each), 'Welcome')
  const url = await telegram().openApp(called('shop'), { chat: person, url: page })
  await telegram().ensureBot(called('another'))
  await telegram().act(called('another'), { chat: person, text: '/start', language: 'en' })
  const altered = url.replaceAll(String(person), String(other))
  assert.is.not(altered, url)
  const ofAnother = await telegram().openApp(called('another'), { chat: person, url: page })
  for (const wrong of [altered, ofAnother, launchedBefore(7200, url), page]) {
    assert.is(await orderAt(wrong), 'refused: 401', wrong)
  }
  assert.equal([await told(person), await told(other)], [['Welcome'], ['Welcome']])
  assert.is(await orderAt(launchedBefore(60, url)), 'ordered: tea')
})

test('the web client of Telegram may show it in a frame, and no other page', async () => {
  const framed = `<!doctype html><iframe src="${page}"></iframe>`
  const telegramsWeb = await browser.open('https://web.telegram.org/k/', framed)
  await telegramsWeb.until('document.querySelector("#tea")', 'frame')
  assert.is(await telegramsWeb.frameUrl(), page)
  const elsewhere = await browser.open('https://evil.example/', framed)
  assert.is(await elsewhere.frameUrl(), 'chrome-error://chromewebdata/')
  for (const path of ['/', '/api/goods'])
    assert.is(
      (await ask(path)).headers['content-security-policy'],
      "frame-ancestors 'self' https://*.telegram.org",
      path,
    )
})

test('each path leads to what it says, on its domain alone', async () => {
  assert.equal(JSON.parse((await ask('/api/goods')).text), { tea: 3, coffee: 4 })
  assert.is((await ask('/assets/shop-B7xQ2kLm.js')).headers['cache-control'], 'public, max-age=31536000, immutable')
  assert.is((await ask('/paid')).status, 403)
  const body = Buffer.from('{"user":1,"item":"tea"}')
  assert.is((await ask('/paid', { method: 'POST', body, headers: { 'x-signature': '00' } })).status, 401)
  const onHost = asking({ ...target, name: `${host}.sandbox` })
  for (const path of ['/', '/api/goods', '/paid']) assert.is((await onHost(path)).status, 404, path)
})

test('two releases and a rollback under load: no request on its three routes fails, and each payment is told once', async () => {
  const persons = Array.from({ length: 20 }, () => people++)
  for (const person of persons) assert.is(await answer('/start', 'shop', person), 'Welcome')
  let payments = 0
  const pay = () => {
    const number = payments++
    const body = Buffer.from(JSON.stringify({ user: persons[number % persons.length], item: `tea ${number}` }))
    const signature = createHmac('sha256', paymentSecret).update(body).digest('hex')
    return statusOf('/paid', { method: 'POST', body, headers: { 'x-signature': signature } })
  }
  const load = [() => statusOf('/'), () => statusOf('/api/goods'), pay].map((each) => steadily(7, each))
  const runs: Run[] = []
  for (const title of ['The second shop', 'The third shop']) runs.push(await release({ source: titled(title) }))
  const third = await ask('/')
  runs.push(await release({}, '--rollback'))
  const answers = await Promise.all(load.map((each) => each.stop()))
  for (const each of runs) done(each)
  process.stdout.write(`  ${JSON.stringify(answers)}\n`)
  assert.equal(
    answers.map((each) => Object.keys(each)),
    [['200'], ['200'], ['204']],
  )
  assert.match(third.text, '<title>The third shop</title>')
  assert.match((await ask('/')).text, '<title>The second shop</title>')
  const said = (await Promise.all(persons.map(told))).flat().filter((text) => text.startsWith('paid: '))
  assert.equal(said.sort(), Array.from({ length: payments }, (_, number) => `paid: tea ${number}`).sort())
  assert.is(resultOf(await site(file({ source: titled('The second shop') })), host).changed, 0)
  const running = await inside("docker ps --format '{{.Names}}' | grep shop | sed 's/.*-//' | uniq -c")
  assert.match(running.trim(), /^2 (blue|green)$/)
})

async function statusOf(...asked: Parameters<typeof ask>): Promise<string> {
  try {
    return String((await ask(...asked)).status)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

/** Opens the shop in the browser, presses the button of the tea, and returns what the page says then. */
async function orderAt(url: string): Promise<string> {
  const shop = await browser.open(url)
  await shop.until('document.querySelector("#tea")')
  await shop.click('#tea')
  await shop.until('document.querySelector("#said").textContent')
  return shop.value('document.querySelector("#said").textContent')
}

/** The launch data of a URL as Telegram would have signed it so many seconds ago. */
function launchedBefore(seconds: number, url: string): string {
  const launch = new URL(url)
  const fields = new URLSearchParams(launch.hash.slice(1))
  const { hash: _, ...signed } = Object.fromEntries(new URLSearchParams(fields.get('tgWebAppData') ?? ''))
  signed.auth_date = String(Number(signed.auth_date) - seconds)
  const lines = Object.entries(signed).map(([name, value]) => `${name}=${value}`)
  const key = createHmac('sha256', 'WebAppData').update(String(tokens.SHOP_TOKEN)).digest()
  const hash = createHmac('sha256', key).update(lines.sort().join('\n')).digest('hex')
  fields.set('tgWebAppData', String(new URLSearchParams({ ...signed, hash })))
  launch.hash = String(fields)
  return launch.href
}

/** The shop with another title on its page. */
function titled(title: string): string {
  const copy = join(folder, title.replaceAll(' ', '-'))
  cpSync(source, copy, { recursive: true })
  const index = join(copy, 'dist/index.html')
  writeFileSync(index, readFileSync(index, 'utf8').replace(/<title>.*<\/title>/, `<title>${title}</title>`))
  return copy
}

/** The checksum of the key of the domain's certificate, after it was verified with the roots of the sandbox. */
function verifiedKey(): Promise<string> {
  const { address, name, ca } = target
  return new Promise((done, fail) => {
    const socket = connect({ host: address, port: 443, servername: name, ca }, () => {
      const key = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' })
      socket.destroy()
      done(
        createHash('sha256')
          .update(key ?? Buffer.alloc(0))
          .digest('base64'),
      )
    })
    socket.once('error', fail)
  })
}

test.run()
