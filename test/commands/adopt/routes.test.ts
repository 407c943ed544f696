// What a proxy in front has open becomes a route and a domain here, or is said with its line. What it keeps closed stays closed.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { adopt } from '../../../commands/adopt/index.ts'
import { caddySites } from '../../../commands/adopt/read/caddyfile.ts'
import { nginxLocations } from '../../../commands/adopt/read/nginx-conf.ts'
import { adopted, type Files, repository } from './support.ts'

const dockerfile = 'FROM node:26-slim\nWORKDIR /app\nCOPY . .\nCMD ["node", "bot.js"]\n'
const polling = { 'bot.js': 'bot.launch()\n' }
const webhook = { 'bot.js': '', '.env.example': 'BOT_TOKEN=\nWEBHOOK_URL=https://x.acme.io/hook\n' }

/** A bot and an api, and what else the compose file has. */
const services = (more = '', api = '') => ({
  Dockerfile: dockerfile,
  ...polling,
  'compose.yml': `services:\n  bot: { build: . }\n  api: { build: ., command: node api.js${api} }\n${more}`,
})
const nginx = (locations: string, more = '') => ({
  ...services(more),
  'nginx.conf': `upstream back { server api:8000 weight=2; }\nserver {\n  server_name shop.acme.io;\n${locations}\n}\n`,
})
const labels = (...all: string[]) => services('', `, labels: [${all.map((each) => JSON.stringify(each)).join(', ')}]`)

const vite = { 'web/package.json': '{"devDependencies":{"vite":"7"}}', 'web/index.html': '' }
const stages = (more = '') =>
  `FROM node AS pages\nWORKDIR /web\nCOPY web/ ./\nRUN npm run build\nFROM node:26-slim\nWORKDIR /app\nCOPY package.json src ./\n${more}CMD ["node", "bot.js"]\n`

/** Files, the routes that they become, and the names. */
const mapped: readonly (readonly [
  what: string,
  files: Files,
  routes: readonly unknown[],
  domains: readonly string[],
])[] = [
  [
    'labels of Traefik, with a name from the example',
    {
      ...labels(
        'traefik.http.routers.a.rule=Host(`${DOMAIN}`) && PathPrefix(`/api`)',
        'traefik.http.services.a.loadbalancer.server.port=8000',
      ),
      '.env.example': 'DOMAIN=shop.acme.io\n',
    },
    [{ path: '/api', process: 'api' }],
    ['shop.acme.io'],
  ],
  [
    'two names and two paths of Traefik, behind middlewares that ask nobody',
    labels(
      'traefik.http.routers.a.rule=(Host(`a.acme.io`) || Host(`b.acme.io`)) && (PathPrefix(`/x/`) || Path(`/y`))',
      'traefik.http.routers.a.middlewares=to-https@file,mine',
      'traefik.http.middlewares.mine.compress=true',
      'traefik.http.services.a.loadbalancer.server.port=8000',
    ),
    [
      { path: '/x', process: 'api' },
      { path: '/y', process: 'api' },
    ],
    ['a.acme.io', 'b.acme.io'],
  ],
  [
    'labels of Caddy',
    labels('caddy=shop.acme.io', 'caddy.reverse_proxy=/api/* {{upstreams 9000}}'),
    [{ path: '/api', process: 'api' }],
    ['shop.acme.io'],
  ],
  [
    'variables of nginx-proxy',
    services(
      '',
      ', environment: { VIRTUAL_HOST: "shop.acme.io,www.acme.io", VIRTUAL_PORT: 8000, VIRTUAL_PATH: /api/ }',
    ),
    [{ path: '/api', process: 'api' }],
    ['shop.acme.io', 'www.acme.io'],
  ],
  [
    'locations of nginx, by an upstream, a variable and a service',
    nginx(
      'client_max_body_size 20M;\nlocation /api { proxy_pass http://back; proxy_set_header Upgrade $http_upgrade; }\nlocation = /bot { set $b http://bot:3000; proxy_pass $b; }\nlocation ~* \\.js$ { expires 1d; }\nlocation /.well-known/acme-challenge/ { root /x; }',
    ),
    [
      { path: '/api', process: 'api', body: '20m', websocket: true },
      { path: '/bot', body: '20m' },
    ],
    ['shop.acme.io'],
  ],
  [
    'a location for some networks',
    nginx('location /pay { allow 203.0.113.0/24; deny all; proxy_pass http://api:8000; }'),
    [{ path: '/pay', process: 'api', from: ['203.0.113.0/24'] }],
    ['shop.acme.io'],
  ],
  [
    'a proxy on the machine itself',
    {
      ...services('', ', ports: ["127.0.0.1:8001:8000"]'),
      'deploy/nginx/shop.conf':
        'server { server_name shop.acme.io; location /api { proxy_pass http://127.0.0.1:8001; } }',
    },
    [{ path: '/api', process: 'api' }],
    ['shop.acme.io'],
  ],
  [
    'a folder of the repository that the proxy mounts',
    {
      ...nginx(
        'root /pages;\nlocation / { try_files $uri /index.html; }\nlocation /assets { expires 1y; root /pages; }',
        '  web: { image: nginx, volumes: ["./pages:/pages:ro"] }\n',
      ),
      'pages/index.html': '',
    },
    [{ path: '/', static: 'pages', spa: true }],
    ['shop.acme.io'],
  ],
  [
    'a Caddyfile, its name from the example',
    {
      ...services(),
      ...vite,
      Dockerfile: stages('COPY --from=pages /web/dist /srv/pages\n'),
      Caddyfile:
        '{\n  email me@acme.io\n}\n{$DOMAIN:localhost} {\n  handle /ws/* {\n    reverse_proxy api:8000\n  }\n  handle {\n    root * /srv\n    try_files {path} /index.html\n    file_server\n  }\n}\n',
      '.env.example': 'DOMAIN=shop.acme.io\n',
    },
    [
      { path: '/', static: '/srv/pages', spa: true },
      { path: '/ws', process: 'api', websocket: true },
    ],
    ['shop.acme.io'],
  ],
  [
    'a Caddyfile without braces',
    { ...services(), Caddyfile: 'shop.acme.io\nreverse_proxy /api/* api:8000\n' },
    [{ path: '/api', process: 'api' }],
    ['shop.acme.io'],
  ],
  [
    'a front end that the Dockerfile builds, of which no proxy tells',
    {
      ...vite,
      Dockerfile: stages('COPY --from=pages /web/dist ./public\n'),
      'web/vite.config.ts': "export default {\n  base: '/app/',\n}\n",
    },
    [{ path: '/app', static: 'public', spa: true }],
    [],
  ],
  [
    'pages that Next exports',
    {
      'web/package.json': '{"dependencies":{"next":"16"}}',
      'web/next.config.mjs': "export default { output: 'export' }\n",
      Dockerfile: stages('COPY --from=pages /web/out ./out\n'),
    },
    [{ path: '/', static: 'out' }],
    [],
  ],
]
for (const [what, files, routes, domains] of mapped)
  test(`routes: ${what}`, () => {
    const { manifest, bot, text } = adopted(files)
    assert.equal(manifest.public, routes, text)
    assert.equal(bot.domains, domains)
  })

test('where a route leads to listens at the port that the proxy names', () => {
  const { manifest, text } = adopted(
    nginx('location /api { proxy_pass http://back; }\nlocation / { proxy_pass http://bot:3100; }'),
  )
  assert.equal([manifest.port, manifest.processes?.api?.port], [3100, 8000])
  assert.match(text, 'public:\n  - { path: / } # nginx.conf:5\n  - { path: /api, process: api } # nginx.conf:4\n')
})

test('values that have the name refer to it', () => {
  const files = labels(
    'traefik.http.routers.a.rule=Host(`shop.acme.io`) && PathPrefix(`/api`)',
    'traefik.http.services.a.loadbalancer.server.port=8000',
  )
  const { manifest } = adopted({
    ...files,
    '.env.example':
      'APP=https://shop.acme.io/app\nNAME=shop.acme.io\nOTHER=https://shop.acme.io.evil.org\nEMPTY=https://${DOMAIN}\n',
  })
  assert.equal(manifest.environment, {
    ...{ APP: '${public.url}/app', NAME: '${public.host}' },
    ...{ OTHER: 'https://shop.acme.io.evil.org', EMPTY: 'https://$${DOMAIN}' },
  })
})

test('where a compose file and an example differ, an address is that among containers, and a value that of no test', () => {
  const { manifest } = adopted({
    Dockerfile: dockerfile,
    '.env.example': 'API=http://localhost:3000\nNODE_ENV=staging\n',
    '.env.test.example': 'NODE_ENV=test\n',
    'compose.yml':
      'services: { bot: { build: ., environment: { API: "${API:-http://api:8000}", NODE_ENV: "${NODE_ENV:-production}" } }, api: { build: ., command: node api.js, expose: [8000] } }',
  })
  assert.equal(manifest.environment, { API: '${process.api.url}', NODE_ENV: 'staging' })
})

/** Locations, and the paths that stay closed because of them. */
for (const [what, locations, open] of [
  ['a password', 'location / { auth_basic "x"; proxy_pass http://back; }', []],
  ['a password of the whole', 'auth_basic "x";\nlocation / { proxy_pass http://back; }', []],
  ['a request that asks', 'location / { auth_request /auth; proxy_pass http://back; }', []],
  ['a client certificate', 'ssl_verify_client on;\nlocation / { proxy_pass http://back; }', []],
  ['a test', 'location / { if ($key != x) { return 403; } proxy_pass http://back; }', []],
  ['no test, but a redirect', 'if ($scheme = http) { return 301; }\nlocation / { proxy_pass http://back; }', ['/']],
  [
    'what is below it and closed',
    'location / { proxy_pass http://back; }\nlocation /admin { auth_basic x; proxy_pass http://back; }',
    [],
  ],
  ['what is below it and answers 404', 'location / { proxy_pass http://back; }\nlocation /metrics { return 404; }', []],
  ['a pattern below it', 'location / { proxy_pass http://back; }\nlocation ~ ^/(admin|internal) { deny all; }', []],
  ['names with a dot alone', 'location / { proxy_pass http://back; }\nlocation ~ /\\.ht { deny all; }', ['/']],
  [
    'a closed path that leads elsewhere',
    'location / { proxy_pass http://back; }\nlocation /bot { auth_basic x; proxy_pass http://bot:3000; }',
    ['/'],
  ],
  [
    'some networks, below an open path',
    'location /api { proxy_pass http://back; }\nlocation /api/admin { allow 10.0.0.0/8; deny all; proxy_pass http://back; }',
    ['/api/admin'],
  ],
] as const)
  test(`nginx keeps closed: ${what}`, () => {
    const { manifest, notes } = adopted(nginx(locations))
    assert.equal(
      (manifest.public ?? []).map(({ path }) => path),
      open,
    )
    if (open.length === 0)
      assert.match(
        notes,
        /nginx\.conf:\d+: \/ of shop\.acme\.io is behind .*not mapped, since everybody would reach it/,
      )
  })

for (const [what, files] of [
  [
    'a password of Traefik',
    labels(
      'traefik.http.routers.a.rule=Host(`a.acme.io`)',
      'traefik.http.routers.a.middlewares=m',
      'traefik.http.middlewares.m.basicauth.users=x',
    ),
  ],
  [
    'a middleware of Traefik that is elsewhere',
    labels('traefik.http.routers.a.rule=Host(`a.acme.io`)', 'traefik.http.routers.a.middlewares=secured@file'),
  ],
  ['a rule with more in it', labels('traefik.http.routers.a.rule=Host(`a.acme.io`) && ClientIP(`10.0.0.0/8`)')],
  ['a rule with a not', labels('traefik.http.routers.a.rule=Host(`a.acme.io`) && !PathPrefix(`/admin`)')],
  [
    'a password of a Caddyfile',
    { ...services(), Caddyfile: 'a.acme.io {\n  basic_auth {\n    me hash\n  }\n  reverse_proxy api:8000\n}\n' },
  ],
  [
    'a path that a Caddyfile answers itself',
    { ...services(), Caddyfile: 'a.acme.io {\n  respond /admin/* 403\n  reverse_proxy api:8000\n}\n' },
  ],
  [
    'a password of Caddy’s labels',
    labels('caddy=a.acme.io', 'caddy.basicauth.me=x', 'caddy.reverse_proxy={{upstreams 80}}'),
  ],
] as const)
  test(`a proxy keeps closed: ${what}`, () => {
    const { manifest, bot, notes } = adopted(files)
    assert.equal([manifest.public, bot.domains], [undefined, []])
    assert.match(notes, /is behind .*not mapped, since everybody would reach it/)
  })

for (const [what, files, said] of [
  [
    'a service that is not mapped',
    { ...nginx('location / { proxy_pass http://front:80; }', '  front: { build: front }\n') },
    /nginx\.conf:4: \/ of shop\.acme\.io leads to "front", which is not mapped/,
  ],
  [
    'a host that nobody knows',
    nginx('location / { proxy_pass http://elsewhere:80; }'),
    /leads to elsewhere:80, which is no service of the bot/,
  ],
  [
    'a port that nobody names',
    labels('traefik.http.routers.a.rule=Host(`a.acme.io`)'),
    /leads to "api", and where that listens is not said/,
  ],
  [
    'a second port',
    nginx(
      'location /a { proxy_pass http://api:1; }',
      '  api: { build: ., command: node api.js, healthcheck: { test: "curl http://localhost:8000/up" } }\n',
    ),
    /leads to port 1 of "api", which has one port here, 8000/,
  ],
  [
    'files that are not in the image',
    nginx('location / { root /srv/www; try_files $uri /index.html; }'),
    /is files of \/srv\/www, .*{ path: \/, static: FOLDER, spa: true }/,
  ],
  [
    'a front end of its own',
    { ...vite, Dockerfile: 'FROM node\nCOPY src .\nCMD x\n' },
    /web\/package\.json:1: the front end in web is not in the image of the bot/,
  ],
  [
    'paths of two names that are the same',
    {
      ...services(),
      Caddyfile: 'a.acme.io {\n  reverse_proxy api:8000\n}\nb.acme.io {\n  reverse_proxy bot:3000\n}\n',
    },
    /Caddyfile:5: the path \/ of b\.acme\.io is not mapped: it is Caddyfile:2 that has it/,
  ],
  [
    'a path below another one',
    { ...services(), Caddyfile: 'a.acme.io {\n  reverse_proxy /x/* api:8000\n  reverse_proxy /x/y/* bot:3000\n}\n' },
    /the path \/x\/y of a\.acme\.io is not mapped: overlaps with \/x/,
  ],
  [
    'a path that is taken off',
    nginx('location /api/ { proxy_pass http://api:8000/; }'),
    /the proxy takes \/api off, and here the whole path comes/,
  ],
  [
    'a name of an example',
    labels(
      'traefik.http.routers.a.rule=Host(`shop.example.com`)',
      'traefik.http.services.a.loadbalancer.server.port=1',
    ),
    /shop\.example\.com: a name of an example/,
  ],
  [
    'no name',
    { ...vite, Dockerfile: stages('COPY --from=pages /web/dist ./public\n') },
    /"public:" is for browsers, and no name of the bot was found/,
  ],
  [
    'files that the bot writes',
    {
      ...nginx('location /up { alias /data/up; }'),
      'compose.yml': 'services: { bot: { build: ., volumes: ["d:/data"] } }',
    },
    /is files that the bot writes \(\/data\/up\)/,
  ],
] as const)
  test(`said of a path: ${what}`, () => assert.match(adopted(files).notes, said))

test('Telegram’s own path is no route, and a name that is for it alone is the operator’s to judge', () => {
  const path = adopted({ ...services(), ...webhook, Caddyfile: 'x.acme.io {\n  reverse_proxy /hook* bot:3000\n}\n' })
  assert.equal([path.manifest.public, path.bot.domains, path.manifest.port], [undefined, [], 3000])
  const whole = adopted({ ...services(), ...webhook, Caddyfile: 'x.acme.io {\n  reverse_proxy bot:3000\n}\n' })
  assert.equal([whole.manifest.public, whole.bot.domains, whole.manifest.port], [undefined, [], 3000])
  assert.match(whole.text, '#public:\n#  - { path: / } # Caddyfile:2\n')
  assert.match(
    whole.notes,
    /Caddyfile:2: gives the bot a name of its own \(x\.acme\.io\): .*take the # from "public:" and set "domains: \[x\.acme\.io\]"/,
  )
})

test('a route to a process that has no place is left out as well', () => {
  const workers = [...'abcd'].map((name) => `  ${name}: { build: ., command: node ${name}.js }\n`).join('')
  const files = {
    ...{ Dockerfile: dockerfile, ...polling, '.env.example': 'DB_HOST=\n' },
    'compose.yml': `services:\n  bot: { build: . }\n${workers}`,
    Caddyfile: 'a.acme.io {\n  reverse_proxy /a/* a:1\n  reverse_proxy /d/* d:1\n}\n',
  }
  const { manifest, notes } = adopted(files)
  assert.equal(manifest.public, [{ path: '/a', process: 'a' }])
  assert.match(notes, /Caddyfile:3: \/d leads to the process d, which is left out/)
})

test('a compose file in a folder of its own means paths from there', () => {
  const { manifest, bot } = adopted({
    'infra/bot.Dockerfile': dockerfile,
    'infra/compose.yml':
      'services: { bot: { build: { context: .., dockerfile: infra/bot.Dockerfile }, volumes: ["../data:/app/data"] } }',
  })
  assert.equal([bot.build.folder, manifest.dockerfile, manifest.data], ['', 'infra/bot.Dockerfile', ['/app/data']])
})

test('names are in the line for the inventory, and never in bot.yaml', async () => {
  const folder = repository({ ...services(), Caddyfile: 'a.acme.io www.acme.io {\n  reverse_proxy bot:3000\n}\n' })
  const said = await adopt(folder, 'shop')
  assert.match(said, /shop: { host: vps1, source: \S+, domains: \[a\.acme\.io, www\.acme\.io\] }/)
  const { domains, public: routes } = parse(readFileSync(join(folder, 'bot.yaml'), 'utf8'))
  assert.equal([domains, routes], [undefined, [{ path: '/' }]])
  assert.match(await adopt(repository(services()), 'shop'), /source: [^,]+ }\n/)
})

test('an image that only serves files is no process', () => {
  const { manifest } = adopted({
    ...services('  front: { build: { context: ., dockerfile: front.Dockerfile } }\n'),
    'front.Dockerfile': 'FROM node AS b\nRUN x\nFROM nginx:alpine\nCOPY --from=b /x /usr/share/nginx/html\n',
  })
  assert.equal(Object.keys(manifest.processes ?? {}), ['api'])
})

test('lines of a configuration are counted, whatever stands in it', () => {
  const text =
    '# {\nserver {\n  server_name _ "a.b";\n  return 301 https://$host;\n  location /x { proxy_pass "http://a:1"; } }\n}\n'
  assert.equal(
    nginxLocations(text, 'n').map(({ names, from, target }) => [names, from, target]),
    [[['a.b'], 'n:5', { host: 'a', port: 1 }]],
  )
  const caddy = '# x {\na.b, https://c.d:443 {\n\thandle_path /x/* {\n\t\treverse_proxy a:1\n\t}\n}\n'
  assert.equal(
    caddySites(caddy, 'C', new Map()).map(({ names, from, path, strips }) => [names, from, path, strips]),
    [[['a.b', 'c.d'], 'C:4', '/x', true]],
  )
})

test.run()
