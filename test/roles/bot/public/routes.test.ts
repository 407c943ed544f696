// The public paths of a bot: what bot.yaml may say of them, and what nginx is told.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { withSites } from '../../../../lib/platform/nginx.ts'
import { foldersOf, formerOf } from '../../../../roles/bot/public/layout.ts'
import { locationText, nginxTexts, textsBefore } from '../../../../roles/bot/release/nginx-route.ts'
import { conflictsIn } from '../../../../roles/bot/spec/conflicts.ts'
import { parseRelease, type Release } from '../../../../roles/bot/spec/release-record.ts'
import { overlap, routeFaults } from '../../../../roles/bot/spec/routes.ts'
import { type BotManifest, botManifestSchema } from '../../../../roles/bot/spec/schema.ts'
import { specOf } from '../../../../roles/bot/spec/spec.ts'

import { configText } from '../../../../roles/nginx/config.ts'
import { deployment, plan, served } from '../../../support/hello-bot.ts'
import { blocks, directivesOf, plain } from '../../../support/nginx-config.ts'
import { place } from '../../../support/release-policy.ts'

type Public = NonNullable<BotManifest['public']>
const instance = { bot: 'shop', number: 1, ...place }
const spec = (routes: Public, more: BotManifest = {}) => specOf('shop:1', {}, { ...more, public: routes })

const release = (routes: Public, more: BotManifest = {}, former?: Record<string, string>): Release => ({
  ...{ id: '1', spec: spec(routes, { shareOrigin: true, ...more }), colour: 'blue', secrets: {}, by: 'me' },
  ...(former && { former }),
})
const texts = (of: Release, origin = place.origin) => nginxTexts({ ...instance, origin }, of)
const locations = (of: Release, origin?: string) => texts(of, origin)['bots/shop.conf'] ?? ''
const only = (of: Release, origin?: string) => {
  const [location] = directivesOf(locations(of, origin)).filter(({ words }) => words[1] === '~')
  return { words: location?.words ?? [], lines: plain(location?.block ?? []), block: location?.block ?? [] }
}

for (const [entry, said] of [
  [{ path: 'app' }, 'path'],
  [{ path: '/a/../b' }, 'path'],
  [{ path: '/app/' }, 'path'],
  [{ path: '/a b' }, 'path'],
  [{ path: '/a;b' }, 'path'],
  [{ path: '/a', static: '../dist' }, 'static'],
  [{ path: '/a', static: '/srv/../etc' }, 'static'],
  [{ path: '/a', static: '' }, 'static'],
  [{ path: '/a', methods: [] }, 'methods'],
  [{ path: '/a', methods: ['TRACE'] }, 'methods'],
  [{ path: '/a', body: '10mb' }, 'body'],
  [{ path: '/a', rate: 0 }, 'rate'],
  [{ path: '/a', rate: 2.5 }, 'rate'],
  [{ path: '/a', from: ['all'] }, 'from'],
  [{ path: '/a', from: ['10.0.0.0/33'] }, 'from'],
  [{ path: '/a', from: ['300.0.0.1'] }, 'from'],
  [{ path: '/a', websocket: 'yes' }, 'websocket'],
  [{ path: '/a', process: ['api'] }, 'process'],
] as const)
  test(`refuses a route: ${JSON.stringify(entry)}`, () => {
    const { success, issues = [] } = v.safeParse(botManifestSchema, { public: [entry] })
    assert.not(success)
    assert.is(issues[0]?.path?.[2]?.key, said)
  })

test('takes addresses and networks of both kinds', () => {
  for (const from of ['203.0.113.7', '203.0.113.0/24', '2001:db8::/32', '::1'])
    assert.ok(v.is(botManifestSchema, { public: [{ path: '/pay', from: [from] }] }), from)
})

const call = { methods: ['POST' as const] }
const faulty: readonly (readonly [said: Pick<BotManifest, 'public' | 'shareOrigin'>, fault: RegExp])[] = [
  [
    { public: [{ path: '/app', static: 'dist' }] },
    /^public\[0\]: \/app is for browsers, .*"domains:".*"shareOrigin: true"/,
  ],
  [{ public: [{ path: '/api' }] }, /^public\[0\]: \/api is for browsers/],
  [{ public: [{ path: '/ws', ...call, websocket: true }] }, /is for browsers/],
  [{ public: [{ path: '/', ...call }] }, /is the whole name of the host: choose a path like \/app/],
  [{ public: [{ path: '/tg/shop', ...call }] }, /is where Telegram delivers updates/],
  [{ public: [{ path: '/.well-known', ...call }] }, /is where authorities prove/],
  [
    {
      public: [
        { path: '/a', ...call },
        { path: '/a', ...call },
      ],
    },
    /^public\[1\]: \/a overlaps with \/a of public\[0\]/,
  ],
  [
    {
      public: [
        { path: '/a', ...call },
        { path: '/a/b', ...call },
      ],
    },
    /^public\[1\]: \/a\/b overlaps with \/a of public\[0\]/,
  ],
  [{ public: [{ path: '/a', ...call, spa: true }] }, /has "spa: true" without "static:"/],
  [{ shareOrigin: true, public: [{ path: '/a', static: 'x', ...call }] }, /has "methods:", and files are only read/],
  [
    { shareOrigin: true, public: [{ path: '/a', static: 'x', websocket: true }] },
    /has "websocket:", and files are only read/,
  ],
  [{ shareOrigin: true, public: [{ path: '/a', static: 'x', body: '1m' }] }, /has "body:", and files are only read/],
]
for (const [said, fault] of faulty)
  test(`says what is wrong: ${JSON.stringify(said)}`, () => assert.match(routeFaults(said, false).join('\n'), fault))

test('what is right has no fault', () => {
  for (const said of [
    {},
    { public: [] },
    { public: [{ path: '/pay', ...call }] },
    { shareOrigin: true, public: [{ path: '/app', static: 'dist', spa: true }, { path: '/apps' }, { path: '/tgs' }] },
  ])
    assert.equal(routeFaults(said, false), [])
  assert.equal(routeFaults({ public: [{ path: '/', static: 'dist' }, { path: '/api' }] }, true), [])
})

test('paths overlap where one is below the other, not where letters are', () => {
  assert.ok(overlap('/a', '/a') && overlap('/a', '/a/b') && overlap('/a/b', '/a') && overlap('/', '/a'))
  assert.not(overlap('/a', '/ab') || overlap('/a/b', '/a/c'))
})

test('a version says nothing of what its manifest leaves out, and its order does not count', () => {
  assert.not('public' in specOf('x:1', {}, {}))
  assert.not('public' in specOf('x:1', {}, { public: [] }))
  assert.equal(spec([{ path: '/b' }, { path: '/a', spa: false, websocket: false }]).public, [
    { path: '/a' },
    { path: '/b' },
  ])
  assert.equal(spec([{ path: '/a', methods: ['PUT', 'GET', 'PUT'] }]).public, [{ path: '/a', methods: ['GET', 'PUT'] }])
})

test('the file of a bot without routes is what it was, and it has no other', () => {
  const { 'bots/shop.conf': file, 'sites/shop.conf': none } = texts(release([]))
  assert.equal([file, none], [locationText('shop', '10.210.1.2', 3000, '/webhook'), undefined])
  assert.equal(texts(release([], { mode: 'polling' })), { 'bots/shop.conf': undefined, 'sites/shop.conf': undefined })
})

test('a bot that polls, and what is no bot, have their routes and nothing for Telegram', () => {
  for (const mode of ['polling', 'none'] as const) {
    const of = release([{ path: '/api' }], { mode })
    assert.not.match(locations(of), '/tg/')
    assert.match(locations(of), 'location ~ ^/api(/|$) {')
  }
  assert.match(locations(release([{ path: '/api' }])), /location = \/tg\/shop \{[\s\S]*location ~ \^\/api/)
})

test('a route to the bot: methods, sizes, rates, networks, and nothing kept in nginx', () => {
  const of = release([{ path: '/api.v1', methods: ['GET', 'POST'], body: '10m', rate: 7, from: ['203.0.113.0/24'] }])
  const { words, lines, block } = only(of)
  assert.equal(words, ['location', '~', String.raw`^/api\.v1(/|$)`])
  assert.equal(blocks(block, 'limit_except', 'GET', 'POST').map(plain), [['deny all']])
  for (const line of [
    'client_max_body_size 10m',
    'limit_req zone=shop/api.v1 burst=14 nodelay',
    'allow 203.0.113.0/24',
    'deny all',
    'proxy_request_buffering off',
    'proxy_max_temp_file_size 0',
    'proxy_set_header Host $host',
    'proxy_set_header X-Forwarded-For $remote_addr',
    'proxy_set_header X-Forwarded-Proto https',
    'proxy_set_header Connection ',
    'proxy_pass http://10.210.1.2:3000',
    'error_log stderr crit',
    'limit_conn routes 600',
  ])
    assert.ok(lines.includes(line), `${line}\n${lines.join('\n')}`)
  assert.match(texts(of)['sites/shop.conf'] ?? '', 'zone=shop/api.v1:512k rate=7r/s;')
  assert.ok(lines.indexOf('allow 203.0.113.0/24') < lines.indexOf('deny all'))
  assert.not.match(lines.join('\n'), /Upgrade/)
})

test('a route leads to a process of the same version and colour', () => {
  const processes = { api: { command: ['node', 'api.mjs'], port: 8080 }, worker: { command: ['node', 'worker.mjs'] } }
  const of = release([{ path: '/api', process: 'api' }, { path: '/other' }], { processes })
  const found = directivesOf(locations({ ...of, colour: 'green' })).flatMap(({ block = [] }) =>
    plain(block).filter((line) => line.startsWith('proxy_pass')),
  )
  assert.equal(found.slice(1), ['proxy_pass http://10.210.1.3:3000', 'proxy_pass http://10.210.1.17:8080'])
  assert.equal(conflictsIn(of.spec), [])
  const wrong = (process: string) => conflictsIn(release([{ path: '/api', process }], { processes }).spec).join('\n')
  assert.match(wrong('apo'), 'public: /api: process: apo names no process of the bot (did you mean "api"?)')
  assert.match(wrong('worker'), 'names a process that listens nowhere: set "port:" of processes.worker')
  assert.match(
    routeFaults({ shareOrigin: true, public: [{ path: '/a', static: 'x', process: 'api' }] }, false).join(),
    'has "process:", and files are only read',
  )
})

test('a websocket is upgraded, and may be silent for ten minutes', () => {
  const { lines } = only(release([{ path: '/ws', websocket: true }]))
  for (const line of [
    'proxy_set_header Connection $route_connection',
    'proxy_set_header Upgrade $http_upgrade',
    'proxy_read_timeout 600s',
  ])
    assert.ok(lines.includes(line), line)
})

test('headers for browsers, with HSTS only for a name, and another port where it is asked for there', () => {
  const of = release([{ path: '/api' }])
  assert.ok(only(of).lines.includes('add_header Content-Security-Policy $route_policy always'))
  assert.ok(only(of).lines.some((line) => line.startsWith('add_header Strict-Transport-Security')))
  const elsewhere = only(of, 'https://192.0.2.1:8443').lines
  assert.not(elsewhere.some((line) => line.includes('Strict-Transport-Security')))
  assert.ok(elsewhere.includes('proxy_set_header Host $host:8443'))
})

test('files: of the version that serves, then of the one before it, then the page of the app', () => {
  const of = release([{ path: '/app', static: 'dist', spa: true }], {}, { '/app': 'f'.repeat(16) })
  const [folder = ''] = foldersOf(of)['/app'] ?? []
  assert.match(folder, /^[0-9a-f]{16}$/)
  const { lines, block } = only(of)
  assert.ok(
    lines.includes(
      `try_files /${folder}$uri /${folder}$uri/index.html /${'f'.repeat(16)}$uri /${folder}/app/$route_page =404`,
    ),
    lines.join('\n'),
  )
  for (const line of ['root /etc/nginx/static/shop', 'disable_symlinks on', 'gzip_static on', 'include sites/_types'])
    assert.ok(lines.includes(line), line)
  assert.equal(blocks(block, 'limit_except', 'GET', 'HEAD').length, 1)
  assert.not.match(lines.join('\n'), /proxy_/)
})

const own = { ...instance, domains: ['shop.example.org', 'www.shop.example.org'], ipv6: true }

test('with domains of its own the routes are there, and only there', () => {
  const of = release([{ path: '/', static: 'dist' }, { path: '/api' }])
  const found = nginxTexts(own, of)
  assert.equal(found['bots/shop.conf'], locationText('shop', '10.210.1.2', 3000, '/webhook'))
  const servers = blocks(directivesOf(found['sites/shop.conf'] ?? ''), 'server').filter((server) =>
    plain(server).some((line) => line.startsWith('ssl_certificate ')),
  )
  assert.equal(
    servers.map((server) => plain(server).find((line) => line.startsWith('server_name'))),
    ['server_name shop.example.org', 'server_name www.shop.example.org'],
  )
  for (const server of servers) {
    const names = server.flatMap(({ words, block }) => (block === undefined ? [] : [words.slice(1).join(' ')]))
    assert.equal(names, ['@away', '~ ^/api(/|$)', '~ ^/'])
    assert.ok(plain(server).includes('error_page 502 504 = @away'))
  }
  assert.match(found['sites/shop.conf'] ?? '', 'limit_req_zone $binary_remote_addr zone=shop/api:512k')
})

test('a longer path on a domain comes before the whole of it', () => {
  const text = nginxTexts(own, release([{ path: '/', static: 'dist' }, { path: '/api' }]))['sites/shop.conf'] ?? ''
  // nginx takes the first expression that matches.
  assert.ok(text.indexOf('location ~ ^/api(/|$) {') < text.indexOf('location ~ ^/ {'))
})

test('a domain without routes answers 404, and so does one before the first release', () => {
  for (const text of [nginxTexts(own, release([]))['sites/shop.conf'], textsBefore(own)['sites/shop.conf']])
    assert.is(text?.match(/return 404;/g)?.length, 2)
})

test('pages of a bot that has lost its domain do not move to the name of the host', () => {
  const lost = { shareOrigin: false }
  const of = release(
    [
      { path: '/app', static: 'dist' },
      { path: '/pay', methods: ['POST'] },
    ],
    lost,
  )
  assert.not.match(locations(of), '/app')
  assert.match(locations(of), 'location ~ ^/pay(/|$)')
  assert.match(locations(release([{ path: '/app', static: 'dist' }])), 'location ~ ^/app')
  assert.equal(texts(release([{ path: '/app', static: 'dist' }], { ...lost, mode: 'polling' })), {
    'bots/shop.conf': undefined,
    'sites/shop.conf': undefined,
  })
})

test('the record of a version names the files before it: those of the last version that had others', () => {
  const route = [{ path: '/app', static: 'dist' }]
  const at = (image: string, former?: Record<string, string>) => ({
    ...{ id: '1', spec: specOf(image, {}, { public: route }), colour: 'blue' as const, secrets: {}, by: 'me' },
    ...(former && { former }),
  })
  const [one = ''] = foldersOf(at('shop:1'))['/app'] ?? []
  assert.equal(formerOf(at('shop:1').spec, undefined), {})
  assert.equal(formerOf(at('shop:2').spec, at('shop:1')), { former: { '/app': one } })
  // The same files: those before them stay in reach.
  assert.equal(formerOf(at('shop:2').spec, at('shop:2', { '/app': one })), { former: { '/app': one } })
  assert.equal(formerOf(at('shop:1').spec, at('shop:1')), {})
  assert.equal(formerOf(specOf('shop:3', {}, {}), at('shop:1')), {})
})

test('a record with routes is read back, an old one has none', () => {
  const of = release(
    [
      { path: '/app', static: 'dist', spa: true },
      { path: '/api', body: '10m' },
    ],
    {},
    { '/app': 'x' },
  )
  assert.equal(parseRelease(JSON.stringify(of)), JSON.parse(JSON.stringify(of)))
  const torn = JSON.stringify(of).replace('"path":"/api"', '"path":7')
  assert.is(parseRelease(torn), undefined)
})

test('nginx.conf reads the files beside it once, at the level of http', () => {
  const text = configText({ name: 'b.example.org', port: 443, ipv6: false, telegram: [] })
  const with1 = withSites(text)
  assert.is(withSites(with1), with1)
  const [http = []] = blocks(directivesOf(with1), 'http')
  assert.is(http.at(-1)?.words.join(' '), 'include sites/*.conf')
})

test('no bot with a token, or with a webhook: what is not said to Telegram', () => {
  const none = specOf('x:1', {}, { mode: 'none' })
  assert.equal(conflictsIn(none), [])
  const said = (more: BotManifest) => conflictsIn(specOf('x:1', {}, { mode: 'none', ...more })).join('\n')
  assert.match(said({ environment: { A: '${token}' } }), /A: \$\{token\} has no value, since the bot has "mode: none"/)
  assert.match(said({ environment: { A: '${webhook.url}' } }), /since the bot has "mode: none"/)
  assert.match(said({ allowedUpdates: ['message'] }), /^allowedUpdates: is for Telegram/)
  assert.match(said({ webhook: 'bot' }), /"mode: none" has none/)
  assert.not('BOT_TOKEN' in (specOf('x:1', {}, { mode: 'none', secrets: 'env' }).references ?? {}))
})

test('what is no bot is released without a token, a secret or a webhook', () => {
  const lines = plan(deployment({ mode: 'none', database: false }, { token: undefined }))
  assert.ok(lines.some((line) => line.startsWith('release:')))
  assert.equal(
    lines.filter((line) => /^(token|secret|generated|webhook)|webhook-secret/.test(line)),
    [],
  )
})

const routes = [{ path: '/app', static: 'dist' }]
const basis = ['nginx:sites', 'sites/_common.conf', 'sites/_types']

test('the first bot with routes brings what nginx needs for them, and no other does', () => {
  const conf = {
    'text:/opt/botgarden/nginx/conf/nginx.conf': configText({ name: 'b', port: 443, ipv6: false, telegram: [] }),
  }
  const found = (lines: string[]) => basis.filter((word) => lines.some((line) => line.includes(word)))
  assert.equal(found(plan(deployment({ public: routes }), conf)), basis)
  assert.equal(found(plan(deployment(), conf)), [])
  assert.equal(found(plan(undefined, { ...served(), ...conf })), [])
  assert.equal(found(plan(undefined, { ...served({ public: routes }), ...conf })), basis)
})

test('site.ts takes static files that are gone, or changed, out of the image again', () => {
  const state = served({ public: routes })
  const [folder = ''] = foldersOf({ spec: { ...spec(routes), image: 'botgarden/hello-bot:abc' } })['/app'] ?? []
  const of = (there: Record<string, boolean> | undefined) =>
    plan(undefined, { ...state, 'static-files:hello-bot': there }).filter((line) => line.startsWith('static:'))
  assert.match(of(undefined).join(), /\/app, which is gone/)
  assert.match(of({ [folder]: false }).join(), /\/app, which is changed/)
  assert.equal(of({ [folder]: true }), [])
})

test.run()
