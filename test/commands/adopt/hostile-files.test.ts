// Crontabs, proxies' files and labels that were made to do harm: read in bounded time, and nothing of them opens or runs anything.
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { adopt } from '../../../commands/adopt/index.ts'
import { visible } from '../../../lib/std/colour.ts'
import { adopted, type Files, repository } from './support.ts'

const dockerfile = 'FROM node\nWORKDIR /app\nCOPY . .\nCMD ["node", "bot.js"]\n'
const cron = (text: string): Files => ({
  Dockerfile: dockerfile,
  crontab: text,
  'compose.yml': 'services: { bot: { build: . }, cron: { build: ., command: supercronic crontab } }',
})
const compose = (bot: string, more = ''): Files => ({
  Dockerfile: dockerfile,
  'compose.yml': `services: { bot: { build: ., ${bot} }${more} }`,
})

/** Each would take for ever, or all memory, if it were believed. */
const endless: readonly (readonly [what: string, files: () => Files])[] = [
  ['redirections that could be split in many ways', () => cron(`0 0 * * * a ${'>2'.repeat(1900)};\n`)],
  ['a crontab of 25,000 lines', () => cron('0 0 * * * node a.js\n'.repeat(25_000))],
  ['a schedule of steps', () => cron(`${'*/1,'.repeat(900)}* * * * * a\n`)],
  [
    'a job of 200 KB',
    () => ({
      'app.json': JSON.stringify({
        cron: [
          { command: 'a'.repeat(200_000), schedule: '@daily' },
          { command: 'a', schedule: '1,'.repeat(100_000) },
        ],
      }),
    }),
  ],
  [
    'empty lines in a workflow',
    () => ({ '.github/workflows/a.yml': `${'\n'.repeat(250_000)}${' '.repeat(200_000)}x` }),
  ],
  [
    'a script of blanks',
    () => ({ Dockerfile: 'FROM x\nCMD ["./a.sh"]\n', 'a.sh': `;${' '.repeat(3000)}\n`.repeat(6) + '\n'.repeat(2000) }),
  ],
  ['blocks in blocks', () => ({ 'nginx.conf': 'server {\n'.repeat(50_000), Caddyfile: 'a {\n'.repeat(100_000) })],
  ['closing braces', () => ({ 'nginx.conf': '}'.repeat(3000), Caddyfile: '}\n'.repeat(200_000) })],
  ['quotes that never end', () => ({ 'nginx.conf': `${'"\\'.repeat(1900)}\n`.repeat(100) })],
  [
    '8,000 locations',
    () => ({
      ...compose('command: x'),
      'nginx.conf': `server {\n${Array.from({ length: 8_000 }, (_, i) => `location /${i} { proxy_pass http://bot:1; }\n`).join('')}}`,
    }),
  ],
  ['variables of Caddy that never end', () => ({ Caddyfile: '{$A:\n'.repeat(80_000) })],
  ['a rule of nothing but calls', () => compose(`labels: ["traefik.http.routers.a.rule=${'Host('.repeat(60_000)}"]`)],
  [
    'as many rules',
    () =>
      compose(
        `labels: [${Array.from({ length: 900 }, (_, i) => `"traefik.http.routers.r${i}.rule=PathPrefix(\`/${i}\`)"`).join(', ')}]`,
      ),
  ],
  [
    'as many jobs of Ofelia',
    () =>
      compose(
        `labels: [${Array.from({ length: 450 }, (_, i) => `ofelia.job-exec.j${i}.schedule=@daily, ofelia.job-exec.j${i}.command=x`).join(', ')}]`,
      ),
  ],
  [
    'services that share one large Dockerfile',
    () => ({
      Dockerfile: `FROM x\n${'RUN a\n'.repeat(60_000)}CMD ["cron"]\n`,
      'compose.yml': `services: { bot: { build: . }, ${Array.from({ length: 40 }, (_, i) => `a${i}: { build: . }`).join(', ')} }`,
    }),
  ],
  [
    'as many front ends',
    () =>
      Object.fromEntries(
        Array.from({ length: 300 }, (_, i) => [`w${i}/package.json`, '{"dependencies":{"astro":"1"}}']),
      ),
  ],
]
for (const [what, files] of endless)
  test(`it has an end: ${what}`, () => {
    // Whatever is made of it is a bot.yaml: the schema is asked there.
    assert.not.throws(() => adopted(files()))
  })

for (const [what, files] of [
  ['JSON of another shape', { 'app.json': '{"cron":{"a":1},"formation":[1]}', 'vercel.json': '{"crons":"x"}' }],
  [
    'names of Object.prototype',
    {
      ...compose(
        'labels: { __proto__: 1, "ofelia.job-exec.__proto__.schedule": "@daily", "ofelia.job-exec.__proto__.command": x, "ofelia.job-exec.constructor.schedule": "@daily", "ofelia.job-exec.constructor.command": y }',
      ),
      'app.json': '{"formation":{"__proto__":{"quantity":0}}}',
      'fly.toml': '[processes]\n__proto__ = "x"\nconstructor = "y"\n',
    },
  ],
  [
    'a proxy that leads to what every object has',
    { ...compose('command: x'), Caddyfile: 'a.acme.io {\n reverse_proxy constructor:1\n}\n' },
  ],
  [
    'binary files',
    {
      crontab: Buffer.from([0, 1, 255]),
      Caddyfile: Buffer.from([0xff, 0xfe, 0, 0xd8]),
      'nginx.conf': Buffer.from([0x80]),
      'fly.toml': Buffer.from([0]),
    },
  ],
  [
    'what no route takes',
    {
      ...compose('command: x'),
      'nginx.conf':
        'server { location /a%20b { proxy_pass http://bot:99999; } location /.. { proxy_pass http://bot:1; } location /é { proxy_pass http://bot:1; } }',
    },
  ],
] as const)
  test(`it is read nevertheless: ${what}`, () => assert.not.throws(() => adopted(files)))

test('what no route and no domain takes is said, and no other one is lost for it', () => {
  const { manifest, bot, notes } = adopted({
    ...compose('command: x'),
    'nginx.conf':
      'server { server_name shop.acme.io *.acme.io ~^x$ 10.0.0.1 localhost "a b" evil]domains; location /../etc { proxy_pass http://bot:1; } location /ok { proxy_pass http://bot:1; } location /n { allow nowhere; deny all; proxy_pass http://bot:1; } }',
  })
  assert.equal(manifest.public, [{ path: '/ok' }])
  assert.equal(bot.domains, ['shop.acme.io'])
  assert.match(notes, /the path \/\.\.\/etc of .* is not mapped/)
  assert.match(notes, /the path \/n of .* is not mapped/)
})

test('a static folder stays in the image, whatever a proxy or a COPY names', () => {
  for (const folder of ['/../../etc', '/etc/../root', '..', '/app/../..']) {
    const { manifest } = adopted({
      ...compose('command: x', `, web: { image: nginx, volumes: ["./x:${folder}"] }`),
      ...{ 'x/a': '' },
      'nginx.conf': `server { root ${folder}; location / { try_files $uri /index.html; } }`,
    })
    for (const { static: path = '' } of manifest.public ?? []) assert.not.match(path, /\.\./)
  }
})

test('a name cannot end a comment, nor write to the terminal', () => {
  const { text, manifest, notes } = adopted({
    ...compose(
      'labels: ["ofelia.job-exec.a\\nmode: none #.schedule=@daily", "ofelia.job-exec.b.schedule=@daily", "ofelia.job-exec.b.command=x\\u001b[2J\\ny: z"]',
    ),
    Caddyfile: 'a.acme.io\u001b[2J {\n  reverse_proxy /x\u001b[2J bot:1\n  reverse_proxy /y bot:1\n}\n',
  })
  assert.is(visible(text), text)
  assert.is(text.match(/^mode:/gm)?.length, 1)
  assert.equal([manifest.mode, manifest.jobs?.b?.schedule], ['polling', '@daily'])
  assert.ok(notes.length > 0)
})

test('no link is followed to a crontab, a Caddyfile or an nginx.conf', async () => {
  const outside = repository({ secret: '0 0 * * * osprey\n', site: 'a.acme.io {\n  reverse_proxy osprey:1\n}\n' })
  const folder = repository({ Procfile: 'bot: node a.js\ncron: supercronic crontab\n' })
  symlinkSync(join(outside, 'secret'), join(folder, 'crontab'))
  symlinkSync(join(outside, 'site'), join(folder, 'Caddyfile'))
  symlinkSync(join(outside, 'site'), join(folder, 'nginx.conf'))
  assert.not.match(await adopt(folder, 'shop'), 'osprey')
})

test('a file outside of the repository is no crontab of it', () => {
  const { manifest, notes } = adopted({
    Dockerfile: dockerfile,
    'compose.yml':
      'services: { bot: { build: . }, cron: { build: ., command: crond -f, volumes: ["../../etc/passwd:/etc/crontabs/root"] } }',
  })
  assert.is(manifest.jobs, undefined)
  assert.match(notes, /its crontab was not found/)
})

test.run()
