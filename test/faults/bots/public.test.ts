// Needs a VPS of its own: `public`, and the sandbox's certificate authority and Telegram. A Mini App and its api on the name of the host, a
// site without a bot, and another bot whose updates none of it may disturb.
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { quote } from '../../../lib/shell/sh.ts'
import { acmeRoots, removeVps } from '../../../sandbox/index.ts'
import { resultOf, run } from '../../support/runner.ts'
import { botHost } from '../../support/vps/bot-host.ts'
import { asking, slowly, webSocketTo } from '../../support/vps/https-request.ts'
import { endedIn } from '../../support/vps/inside.ts'
import { addressOf } from '../../support/vps/ssh.ts'
import { steadily } from '../../support/vps/steady.ts'

const host = 'public'
const name = `${host}.sandbox`
const www = `www.${name}`
const folder = mkdtempSync(join(tmpdir(), 'public-test-'))
const models = resolve(import.meta.dirname, '../../bots')
const { called, inventory, site, deploy, changed, answer, beginWith, telegram } = botHost(host, [
  'hello-bot',
  'shop',
  'landing',
])
const ended = endedIn(host)
let chats = 500_000
const output = async (command: string) => (await ended(command)).stdout
let ask: ReturnType<typeof asking>
let target: Parameters<typeof asking>[0]

/** A source with files changed. */
function version(model: string, files: Record<string, string> = {}): string {
  const source = mkdtempSync(join(folder, 'source-'))
  cpSync(join(models, model), source, { recursive: true })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(source, path)), { recursive: true })
    writeFileSync(join(source, path), text)
  }
  return source
}
const file = (shop: object = {}, more: Record<string, object> = {}) =>
  inventory({
    shop: { host, source: join(models, 'mini-app'), ...shop },
    landing: { host, source: join(models, 'landing-page'), domains: [www] },
    ...more,
  })
const release = (shop: object = {}, ...args: string[]) => deploy(['--name', 'shop', ...args], file(shop))

test.before(async () => {
  await beginWith({ file: file() })
  target = { address: await addressOf(host), name, ca: await acmeRoots() }
  ask = asking(target)
  assert.is((await deploy(['--name', 'hello-bot'])).code, 0)
})
test.after(async () => {
  rmSync(folder, { recursive: true })
  await removeVps(host)
})

test('a check lists what the first release does, and then nothing is left to do', async () => {
  const check = await release({}, '--check')
  const first = await release()
  assert.is(first.code, 0, resultOf(first, host).error)
  const checked = resultOf(check, host)
  assert.equal(changed(first).sort(), [...checked.ids, ...checked.unknownIds].sort())
  for (const again of [await release(), await site(file())]) {
    const { changed: count, roundTrips, error } = resultOf(again, host)
    assert.equal([count, roundTrips, error], [0, 1, undefined])
  }
  assert.is(await answer('hi', 'shop'), 'mini-app 1: hi')
})

test('the api has the whole path, the name that was asked for, and the address of whoever asks', async () => {
  const spoofed = { 'x-forwarded-for': '1.2.3.4', 'x-forwarded-host': 'evil.example', forwarded: 'for=1.2.3.4' }
  const { status, text } = await ask('/api/echo?q=1', { headers: spoofed })
  assert.is(status, 200)
  const { url, headers } = JSON.parse(text)
  assert.is(url, '/api/echo?q=1')
  assert.is(headers.host, name)
  assert.is(headers['x-forwarded-host'], name)
  assert.is(headers['x-forwarded-proto'], 'https')
  assert.match(headers['x-forwarded-for'], /^10\.212\./)
  assert.is(headers.forwarded, undefined)
  assert.is((await ask('/api')).status, 200)
  assert.is((await ask('/apical')).status, 404)
})

test('a page may be opened by the web clients of Telegram, and its own policy counts', async () => {
  for (const path of ['/app/', '/api/echo']) {
    const { headers } = await ask(path)
    assert.is(headers['content-security-policy'], "frame-ancestors 'self' https://*.telegram.org", path)
    assert.is(headers['x-content-type-options'], 'nosniff')
    assert.is(headers['referrer-policy'], 'strict-origin-when-cross-origin')
    assert.is(headers['strict-transport-security'], 'max-age=63072000')
  }
  assert.is((await ask('/api/framed')).headers['content-security-policy'], "default-src 'self'")
  assert.is(
    (await ask('/tg/shop', { method: 'POST' })).headers['content-security-policy'],
    "default-src 'none'; frame-ancestors 'none'",
  )
})

test('files: types, compression, caching, and a page for every path of the app', async () => {
  const page = await ask('/app/')
  assert.equal(
    [page.status, page.headers['content-type'], page.headers['cache-control']],
    [200, 'text/html; charset=utf-8', 'no-cache'],
  )
  assert.match(page.text, /A Mini App/)
  const redirect = await ask('/app')
  assert.equal([redirect.status, redirect.headers.location], [301, '/app/'])
  const script = await ask('/app/assets/index-DiwrgTda.js')
  assert.equal(
    [script.status, script.headers['content-type'], script.headers['cache-control']],
    [200, 'application/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
  )
  assert.is((await ask('/app/cart/7')).text, page.text)
  const missing = await ask('/app/assets/index-00000000.js')
  assert.equal([missing.status, missing.headers['cache-control']], [404, undefined])
  for (const path of [
    '/app/..%2f..%2f..%2fnginx.conf',
    '/app/../../etc/passwd',
    '/app/%2e%2e/%2e%2e/running/nginx.conf',
  ])
    assert.not.match((await ask(path)).text, /worker_processes|root:/, path)
  const again = await ask('/app/', { headers: { 'if-none-match': String(page.headers.etag) } })
  assert.is(again.status, 304)
})

test('methods, sizes, rates and networks are those of the route, and of no other', async () => {
  assert.is((await ask('/app/', { method: 'POST' })).status, 403)
  assert.is((await ask('/pay', { method: 'GET' })).status, 403)
  assert.is((await ask('/pay', { method: 'POST' })).status, 403, 'not from the network of the provider')
  const upload = (bytes: number) => ask('/upload', { method: 'PUT', body: Buffer.alloc(bytes) })
  assert.equal(JSON.parse((await upload(9 * 2 ** 20)).text), { bytes: 9 * 2 ** 20 })
  assert.is((await upload(11 * 2 ** 20).catch(() => ({ status: 413 }))).status, 413)
  // Over connections that stay: a machine that is slow to make new ones would send too few a second.
  const kept = asking(target, 20)
  const burst = await Promise.all(Array.from({ length: 300 }, () => kept('/pay', { method: 'POST' })))
  const refused = burst.filter(({ status }) => status === 429).length
  assert.ok(refused > 0, 'five a second, and ten at once')
  const assets = await Promise.all(Array.from({ length: 60 }, () => ask('/app/assets/index-DiwrgTda.js')))
  assert.equal([...new Set(assets.map(({ status }) => status))], [200])
})

test('a websocket goes through, and only where the route says so', async () => {
  await ended(`printf %s ${quote(target.ca)} >/root/roots.pem`)
  const image = await output('docker image ls -q botgarden/shop | head -n 1')
  const client = (path: string) => `
    const socket = new WebSocket('wss://${name}${path}')
    socket.onopen = () => socket.send('hello')
    socket.onmessage = ({ data }) => { console.log(data); socket.close() }
    socket.onerror = () => { console.log('refused'); process.exit() }`
  const said = (path: string) =>
    output(
      `docker run --rm --network host --add-host ${name}:127.0.0.1 -e NODE_EXTRA_CA_CERTS=/roots.pem -v /root/roots.pem:/roots.pem:ro ${image} node -e ${quote(client(path))}`,
    )
  assert.is(await said('/api/socket'), '1: hello')
  assert.is(await said('/app/socket'), 'refused')
})

test('an image without the folder is refused before anything is stopped, with what to write', async () => {
  const run = await release({ public: [{ path: '/app', static: 'build' }], shareOrigin: true })
  assert.is(run.code, 3)
  assert.match(resultOf(run, host).error, /the image has no folder \/app\/build, which "static:" names/)
  assert.is((await ask('/app/')).status, 200)
})

test('a changed file is never taken for unchanged, and what a page before it asks for is still there', async () => {
  const before = await ask('/app/')
  const source = version('mini-app', {
    'dist/index.html': before.text.replace('A Mini App', 'B Mini App').replace('DiwrgTda', 'ErsXhUeb'),
    'dist/assets/index-ErsXhUeb.js': 'export {}\n',
  })
  rmSync(join(source, 'dist/assets/index-DiwrgTda.js'))
  // As reproducible builds have it: the same size, and one time for all versions.
  for (const path of ['dist/index.html']) utimesSync(join(source, path), 0, 0)
  const next = await release({ source, environment: { VERSION: '2' } })
  assert.is(next.code, 0, resultOf(next, host).error)
  const after = await ask('/app/', { headers: { 'if-none-match': String(before.headers.etag) } })
  assert.is(after.status, 200)
  assert.match(after.text, 'B Mini App')
  for (const asset of ['index-ErsXhUeb.js', 'index-DiwrgTda.js'])
    assert.is((await ask(`/app/assets/${asset}`)).status, 200, asset)
  const third = await release({
    source: version('mini-app', { 'dist/assets/index-ErsXhUeb.js': 'export const a = 1\n' }),
  })
  assert.is(third.code, 0, resultOf(third, host).error)
  assert.is(
    await output(`ls -d /opt/botgarden/nginx/static/shop/*/ | wc -l`),
    '2',
    'those of two releases ago are gone',
  )
  assert.is(resultOf(await release({ source: join(models, 'mini-app') }), host).error, undefined)
})

test('links, devices and hidden files of an image lead nowhere', async () => {
  const source = version('mini-app', {
    Dockerfile: `FROM node:26.10-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev
COPY server.mjs ./
COPY dist /srv/dist
RUN echo of-the-image >/etc/of-the-image && ln -s /srv/dist /app/dist && cd /srv/dist && \
  ln -s /etc/passwd passwd && ln -s /etc/nginx/running/nginx.conf conf && ln -s ../../../../etc up && ln -s / root && \
  ln /etc/of-the-image hard && mkfifo pipe && echo secret >.env && mkdir .git && echo secret >.git/config && \
  mkdir deep && ln -s /var/lib/botgarden deep/state && cp /etc/passwd "deep/with space.txt"
CMD ["node", "server.mjs"]
`,
  })
  const run = await release({ source })
  assert.is(run.code, 0, resultOf(run, host).error)
  const paths = [
    'passwd',
    'conf',
    'up/passwd',
    'root/etc/passwd',
    'deep/state/allocations',
    'pipe',
    '.env',
    '.git/config',
  ]
  for (const path of paths) assert.not.match((await ask(`/app/${path}`)).text, /root:|worker_|secret|shop /, path)
  assert.is((await ask('/app/deep/with%20space.txt')).status, 200)
  const found = await output(
    `cd /opt/botgarden/nginx/static && find . ! -type d ! -type f; find . -type f ! -perm 0644; find . ! -user root; find . -type d ! -perm 0755`,
  )
  assert.is(found, '')
  // A link that somebody else puts there is not followed either.
  await ended(
    'ln -s /etc/passwd "$(ls -d /opt/botgarden/nginx/static/shop/*/ | head -n 1)app/planted.txt"; for f in /opt/botgarden/nginx/static/shop/*/; do ln -sf /etc/passwd "$f/app/planted.txt"; done',
  )
  assert.is((await ask('/app/planted.txt')).status, 404)
  assert.is((await release()).code, 0)
})

test('what is gone or was changed on the host is seen, and brought back', async () => {
  const before = (await ask('/app/')).text
  const nginx = '/opt/botgarden/nginx'
  for (const [damage, ids] of [
    [`rm -rf ${nginx}/static/shop`, ['static:shop']],
    [`for f in ${nginx}/static/shop/*/app/index.html; do echo evil >$f; done`, ['static:shop']],
    [`rm ${nginx}/conf/sites/shop.conf`, [`file:${nginx}/conf/sites/shop.conf`]],
    [
      `rm ${nginx}/conf/sites/shop.conf ${nginx}/conf/bots/shop.conf ${nginx}/conf/sites/_types`,
      [`file:${nginx}/conf/sites/_types`, `file:${nginx}/conf/sites/shop.conf`, `file:${nginx}/conf/bots/shop.conf`],
    ],
    [`rm ${nginx}/conf/nginx.conf`, [`file:${nginx}/conf/nginx.conf`]],
    [`sed -i '/include sites/d' ${nginx}/conf/nginx.conf`, [`file:${nginx}/conf/nginx.conf`]],
    [`sed -i 's/50r/5000r/' ${nginx}/conf/sites/shop.conf`, [`file:${nginx}/conf/sites/shop.conf`]],
  ] as const) {
    await ended(damage)
    const check = resultOf(await run(['playbooks/site.ts', '-i', file(), '--json', '--check']), host)
    const healed = await site(file())
    assert.is(healed.code, 0, resultOf(healed, host).error)
    assert.equal(changed(healed).sort(), [...check.ids, ...check.unknownIds].sort(), damage)
    for (const id of ids) assert.ok(changed(healed).includes(id), `${damage}: ${changed(healed)}`)
    assert.is((await ask('/app/')).text, before)
    assert.is((await ask('/api/echo')).status, 200)
    assert.is(resultOf(await site(file()), host).changed, 0)
  }
})

test('a bot that is away for a moment is answered 503, and no query is in a log of nginx', async () => {
  await ended('docker stop $(docker ps -q --filter label=botgarden.bot=shop)')
  const away = await ask('/api/echo?secret=hunter2')
  assert.equal([away.status, away.headers['retry-after']], [503, '2'])
  await Promise.all(Array.from({ length: 150 }, () => ask('/app/?secret=hunter2')))
  assert.is(await output('docker logs botgarden-nginx 2>&1 | grep -c hunter2'), '0')
  assert.is((await site(file())).code, 0)
  assert.is((await ask('/api/echo')).status, 200)
})

test('a site without a bot: no token, no webhook, nothing of Telegram', async () => {
  const args = ['--name', 'landing']
  const check = await deploy([...args, '--check'], file(), {})
  const first = await deploy(args, file(), {})
  assert.is(first.code, 0, resultOf(first, host).error)
  const checked = resultOf(check, host)
  assert.equal(changed(first).sort(), [...checked.ids, ...checked.unknownIds].sort())
  for (const again of [await deploy(args, file(), {}), await site(file())]) {
    const { changed: count, roundTrips, error } = resultOf(again, host)
    assert.equal([count, roundTrips, error], [0, 1, undefined])
  }
  const there = asking({ ...target, name: www })
  const page = await there('/')
  assert.match(page.text, 'Open the bot')
  assert.is(page.headers['strict-transport-security'], 'max-age=63072000')
  assert.is((await there('/style.css')).headers['content-type'], 'text/css; charset=utf-8')
  assert.equal([(await there('/nothing')).status, (await there('/tg/shop', { method: 'POST' })).status], [404, 403])
  assert.is((await ask('/style.css')).status, 404, 'on the name of the host there is nothing of it')
  assert.is(await output('ls -A /etc/botgarden/secrets/bots/landing'), '')
  assert.equal((await telegram().report(called('landing'))).counts, {})
  assert.is((await ask('/tg/landing', { method: 'POST' })).status, 404)
})

test('a page that has lost its domain is nowhere, and comes back with it', async () => {
  const without = file({}, { landing: { host, source: join(models, 'landing-page') } })
  const lost = await site(without)
  assert.is(lost.code, 0, resultOf(lost, host).error)
  assert.is(resultOf(await site(without), host).changed, 0)
  assert.is((await ask('/style.css')).status, 404)
  const refused = await deploy(['--name', 'landing'], without, {})
  assert.is(refused.code, 1)
  assert.match(refused.stdout + refused.stderr, /public\[0\]: \/ is the whole name of the host/)
  assert.is((await site(file())).code, 0)
  assert.match((await asking({ ...target, name: www })('/')).text, 'Open the bot')
})

test('a path of another bot is refused, and both are as they were', async () => {
  const taken = file(
    {},
    {
      landing: {
        host,
        source: join(models, 'landing-page'),
        shareOrigin: true,
        public: [{ path: '/app/welcome', static: 'site' }],
      },
    },
  )
  const run = await deploy(['--name', 'landing'], taken, {})
  assert.is(run.code, 3)
  assert.match(
    resultOf(run, host).error,
    'public: /app/welcome of landing overlaps with /app of shop on the name of this host',
  )
})

test('requests, uploads, websockets and slow readers of one bot refuse no update of another', async () => {
  let sent = 0
  let going = true
  const updates = (async () => {
    const start = performance.now()
    for (let i = 0; going && i < 2000; i++) {
      await telegram().act(called('hello-bot'), { chat: ++chats, text: '/start', language: 'en' })
      sent++
      await pause(Math.max(0, start + (i + 1) * 50 - performance.now()))
    }
  })()
  const before = (await telegram().report(called('hello-bot'))).counts
  const kept = asking(target, 60)
  const answers: Record<string, number> = {}
  const count = (status: number | string) => {
    answers[status] = (answers[status] ?? 0) + 1
  }
  const uploads = Array.from({ length: 5 }, async () => {
    for (let i = 0; i < 3; i++)
      count(`upload ${(await ask('/upload', { method: 'PUT', body: Buffer.alloc(9 * 2 ** 20) })).status}`)
  })
  const slow = Array.from({ length: 15 }, () => slowly(target, '/api/large'))
  const sockets = await Promise.all(Array.from({ length: 15 }, () => webSocketTo(target, '/api/socket')))
  const echoed = async () => new Set(await Promise.all(sockets.map((socket) => socket.say('hello'))))
  assert.equal([...(await echoed())], ['1: hello'])
  const begun = performance.now()
  const requests = Array.from({ length: 5000 }, async (_, i) => {
    await pause(Math.max(0, begun + i * 4 - performance.now()))
    count((await kept(i % 2 ? '/api/echo' : '/app/')).status)
  })
  await Promise.all([...requests, ...uploads])
  assert.equal([...(await echoed())], ['1: hello'], 'the websockets are still open')
  for (const { end } of sockets) end()
  for (const end of slow) end()
  going = false
  await updates
  for (let tries = 0; tries < 120 && (await telegram().report(called('hello-bot'))).pending > 0; tries++)
    await pause(500)
  const report = await telegram().report(called('hello-bot'))
  const refused = Object.entries(report.counts).filter(
    ([status, n]) => !/^2\d\d$/.test(status) && n > (before[status] ?? 0),
  )
  process.stdout.write(`  ${sent} updates of another; answers to the requests: ${JSON.stringify(answers)}\n`)
  assert.equal(refused, [])
  assert.is(report.pending, 0)
  assert.is(answers['upload 200'], 15)
  assert.ok(sent >= 200, `${sent}`)
  assert.equal(
    Object.keys(answers).filter((status) => !/200$|429/.test(status)),
    [],
  )
  assert.is(await output(`docker inspect -f '{{.State.OOMKilled}} {{.RestartCount}}' botgarden-nginx`), 'false 0')
})

test('releases and a rollback under load: no request on its routes fails', async () => {
  const load = [`/api/echo`, '/app/', '/app/assets/index-DiwrgTda.js'].map((path) => steadily(7, { ...target, path }))
  const next = await release({ environment: { VERSION: '3' } })
  const back = await release({}, '--rollback-to', await previous())
  const answers = await Promise.all(load.map((each) => each.stop()))
  assert.is(next.code, 0, resultOf(next, host).error)
  assert.is(back.code, 0, resultOf(back, host).error)
  process.stdout.write(`  ${JSON.stringify(answers)}\n`)
  for (const each of answers) assert.equal(Object.keys(each), ['200'])
  assert.is(await answer('hi', 'shop'), 'mini-app 1: hi')
  assert.is(resultOf(await site(file()), host).changed, 0)
})

async function previous(): Promise<string> {
  const lines = (await output('cat /var/lib/botgarden/bots/shop/releases')).split('\n')
  return JSON.parse(lines.at(-2) ?? '').id
}

test('a route may lead to a process, which follows the colour with it', async () => {
  const api = { command: ['node', 'server.mjs'], port: 3001, health: '/api/health' }
  const shop = { processes: { api }, public: [{ path: '/api', process: 'api' }], shareOrigin: true }
  const check = await release(shop, '--check')
  const first = await release(shop)
  assert.is(first.code, 0, resultOf(first, host).error)
  const checked = resultOf(check, host)
  assert.equal(changed(first).sort(), [...checked.ids, ...checked.unknownIds].sort())
  const seen = async () => JSON.parse((await ask('/api/echo')).text)
  assert.equal([(await seen()).port, (await seen()).version], ['3001', '1'])
  const next = await release({ ...shop, environment: { VERSION: '2' } })
  assert.is(next.code, 0, resultOf(next, host).error)
  assert.is((await seen()).version, '2')
  assert.is(resultOf(await site(file({ ...shop, environment: { VERSION: '2' } })), host).changed, 0)
  assert.is((await release()).code, 0)
})

test('routes that a version has no more are gone with it', async () => {
  const without = await release({ public: [] })
  assert.is(without.code, 0, resultOf(without, host).error)
  assert.is((await ask('/api/echo')).status, 404)
  assert.is(await answer('hi', 'shop'), 'mini-app 1: hi')
  assert.is(resultOf(await site(file({ public: [] })), host).changed, 0)
  assert.is((await release({}, '--rollback-to', await previous())).code, 0)
  assert.is((await ask('/api/echo')).status, 200)
})

test('removed, nothing of its routes is left', async () => {
  for (const bot of ['shop', 'landing']) {
    const removed = await deploy(['--name', bot, '--remove', '--yes'], file())
    assert.is(removed.code, 0, resultOf(removed, host).error)
  }
  assert.is(await output('ls -d /opt/botgarden/nginx/static/* /opt/botgarden/nginx/conf/*/shop.conf 2>/dev/null'), '')
  assert.is((await ask('/app/')).status, 404)
  // The domain has left the inventory, so its certificate goes.
  assert.is((await site(inventory())).code, 0)
  assert.is(resultOf(await site(inventory()), host).changed, 0)
})

test.run()
