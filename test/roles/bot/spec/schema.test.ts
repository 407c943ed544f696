// What bot.yaml, the inventory and the role take, each value beside the nearest that they do not take.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { botManifestSchema, botSettings, vars } from '../../../../roles/bot/spec/schema.ts'

const messages = (schema: v.GenericSchema, value: unknown) =>
  (v.safeParse(schema, value).issues ?? []).map(({ message }) => message)
const takes = (schema: v.GenericSchema, key: string, good: readonly unknown[], bad: readonly unknown[]) => {
  for (const value of good) assert.equal(messages(schema, { [key]: value }), [], `${key}: ${JSON.stringify(value)}`)
  for (const value of bad) assert.not(v.is(schema, { [key]: value }), `${key}: ${JSON.stringify(value)}`)
}

const process = (key: string, values: readonly unknown[]) => values.map((value) => ({ a: { [key]: value } }))
const route = (key: string, values: readonly unknown[]) => values.map((value) => [{ path: '/a', [key]: value }])
const job = (more: object) => ({ a: { schedule: '@daily', command: ['x'], ...more } })

for (const [key, good, bad] of [
  ['port', [1, 65_535], [0, 65_536, 1.5, '80']],
  ['health', ['/', '/a/b~c.d-e_1'], ['a', '/a b', '/a?b', 'x/a']],
  ['migrate', [['a', 'b c']], [[], [''], 'a']],
  ['migrations', ['a/b.c'], ['/a', 'a/', 'a//b', 'a b']],
  ['mode', ['webhook', 'polling', 'none'], ['both']],
  ['webhookPath', ['/', '/a/b', '/a/*', '/*'], ['a', '/a*', '/a b', '/*/a', '/a/**']],
  ['allowedUpdates', [['message', 'my_chat_member'], []], [['Message'], ['a b'], ['a1']]],
  ['maxConnections', [1, 100], [0, 101, 1.5]],
  ['database', [true, false, {}, { tcp: false }], ['yes', { tcp: 'yes' }, { host: 'x' }]],
  ['memory', ['1m', '10g'], ['0m', 'm', '1k', '1 m', 'x1m', '1mb']],
  ['cpus', [0.05, 8], [0.04, 0]],
  [
    'scratch',
    [['/a', '/tmpx', '/run/x', '/a.b~c'], []],
    [['/tmp'], ['/run'], ['/proc/x'], ['/dev'], ['/a/'], ['a'], ['/..'], ['/a/../b'], ['x/a'], ['/run/postgresql']],
  ],
  [
    'data',
    [['/a'], { paths: ['/a'], shared: true }],
    [{ paths: [] }, { shared: true }, ['/sys'], { paths: ['/a'], x: 1 }],
  ],
  ['cache', ['valkey', 'redis', { server: 'redis', memory: '1m', persist: true }, {}], ['memcached', { size: 1 }]],
  [
    'environment',
    [{ A_1: 'x', _B: 1, C: true }],
    [{ a: 'x' }, { '1A': 'x' }, { 'A-B': 'x' }, { A: null }, { xA: '' }, { A: '${nothing}' }],
  ],
  ['command', [['a']], [[]]],
  ['webhook', ['botgarden', 'bot'], ['me']],
  ['init', [true], ['yes']],
  ['dockerfile', ['Dockerfile', 'a/b.Dockerfile'], ['/a', 'a/', '..', 'a/../b', 'a b', 'x//y']],
  ['target', ['a.b-c_1'], ['a b', '', 'a:b', '-a b']],
  ['args', [{ A: 'x', _b1: 1 }], [{ '1a': 'x' }, { 'a-b': 'x' }, { 'xa b': '' }]],
  ['secrets', [['A'], 'env', []], ['all', ['a']]],
  [
    'public',
    [[{ path: '/' }, { path: '/a/b' }], []],
    [[{ path: 'a' }], [{ path: '/a/' }], [{ path: '/a/../b' }], [{}]],
  ],
  ['public', route('static', ['a', '/a/b']), route('static', ['', 'a/', '../a', '/', 'a b'])],
  [
    'public',
    route('methods', [['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']]),
    route('methods', [[], ['TRACE'], ['get']]),
  ],
  ['public', route('body', ['1m', '9999k', '1g']), route('body', ['0m', '10000k', '1', '1mb', 'x1m'])],
  ['public', route('rate', [1, 1000]), route('rate', [0, 1001, 1.5])],
  [
    'public',
    route('from', [['192.0.2.0/24'], ['192.0.2.255/32'], ['1.2.3.4'], ['2001:db8::/32'], ['::1'], ['::/128']]),
    route('from', [
      [],
      ['192.0.2.256'],
      ['1.2.3.4/33'],
      ['1.2.3'],
      ['x1.2.3.4'],
      ['::/129'],
      ['g::'],
      ['1.2.3.4.5'],
      ['abcd'],
    ]),
  ],
  ['shareOrigin', [true], [1]],
  [
    'jobs',
    [
      job({}),
      job({ timezone: 'UTC', timeout: '24h', missed: 'run', memory: '1g' }),
      { [`a${'b'.repeat(29)}`]: job({}).a },
    ],
    [
      job({ schedule: 'daily' }),
      job({ command: [] }),
      job({ timezone: 'Here' }),
      job({ timeout: '25h' }),
      job({ timeout: '0s' }),
      job({ timeout: 'x1s' }),
      job({ timeout: '1d' }),
      job({ missed: 'all' }),
      job({ memory: '1k' }),
      { A: job({}).a },
      { [`a${'b'.repeat(30)}`]: job({}).a },
      { x_a: job({}).a },
    ],
  ],
  [
    'processes',
    [...process('port', [80]), { 'a-b1': {} }, { ['a'.repeat(32)]: {} }],
    [{ A: {} }, { 'a-': {} }, { 'a--b': {} }, { '1a': {} }, { ['a'.repeat(33)]: {} }, ...process('mode', ['none'])],
  ],
] as const)
  test(`bot.yaml takes ${key}: ${JSON.stringify(good).slice(0, 60)}`, () => takes(botManifestSchema, key, good, bad))

for (const [key, good, bad] of [
  ['connections', [1, 100], [0, 101, 1.5]],
  ['extensions', [['pg_trgm', `a${'b'.repeat(62)}`], []], [['Pg'], ['1a'], ['a b'], [`a${'b'.repeat(63)}`]]],
  ['init', ['init.sql', 'a/b-c.sql'], ['init.sh', '/a.sql', 'a/../b.sql', 'x y.sql', 'a.sql.gz']],
] as const)
  test(`bot.yaml takes database.${key}`, () => {
    const of = (values: readonly unknown[]) => values.map((value) => ({ [key]: value }))
    takes(botManifestSchema, 'database', of(good), of(bad))
  })

test('what is wrong is said in words', () => {
  const said = (value: object) => messages(botManifestSchema, value).join('\n')
  const nine = Object.fromEntries([...'abcdefghi'].map((name) => [name, {}]))
  const { i: _, ...eight } = nine
  assert.equal([said({ processes: nine }), said({ processes: eight })], ['a bot has at most 8 processes', ''])
  assert.match(said({ processes: { A: {} } }), 'of a-z, 0-9 and single "-", starting with a letter')
  assert.match(said({ processes: { ['a'.repeat(33)]: {} } }), 'of at most 32 characters')
  for (const key of ['environment', 'secrets', 'data', 'scratch'])
    assert.is(said({ processes: { a: { [key]: [] } } }), `a process has what "${key}:" of its bot says: set it there`)
  assert.match(said({ public: [{ path: 'a' }] }), 'a path like /app')
  assert.match(said({ public: [{ path: '/a', static: '' }] }), 'a folder in the image')
  assert.match(said({ public: [{ path: '/a', body: '1' }] }), 'a size like 10m')
  for (const from of ['x', '1.2.3.999'])
    assert.match(said({ public: [{ path: '/a', from: [from] }] }), 'a network as ADDRESS/BITS, or an address')
  assert.match(said({ environment: { a: 1 } }), 'the name of an environment variable, in capitals')
  assert.match(said({ args: { '1': 1 } }), 'the name of a build argument')
  assert.match(
    said({ args: { A: `123456789:${'A'.repeat(35)}` } }),
    'looks like a bot token, and this is no place for one',
  )
  assert.match(said({ jobs: { A: job({}).a } }), 'the name of a job, in small letters')
  assert.match(said({ jobs: job({ timezone: 'x' }) }), 'a time zone like Europe/Berlin, or UTC')
})

const elsewhere = ['volumes', 'ports', 'env', 'env_file', 'build', 'entrypoint', 'cron', 'healthcheck', 'depends_on']
for (const key of [...elsewhere, 'restart', 'mem_limit', 'networks', 'redis', 'postgres', 'domain'])
  test(`${key} of other tools is answered with what it is here`, () => {
    for (const schema of [botManifestSchema, botSettings]) {
      const [message = '', ...more] = messages(schema, { [key]: 'x' })
      assert.match(message, /^[a-z].{9,}/)
      assert.not.match(message, 'Invalid')
      assert.equal(more, [])
    }
  })

test('domains are of the inventory', () => {
  assert.match(messages(botManifestSchema, { domains: ['a.org'] }).join(), 'goes into the inventory')
  takes(botSettings, 'domains', [['shop.example.org'], []], [['x']])
  const said = (name: string) => messages(botSettings, { domains: [name] }).join()
  assert.match(
    said('192.0.2.1'),
    'should be a domain name, found "192.0.2.1": an address has no certificate of an authority',
  )
  assert.match(said('*.example.org'), 'a wildcard cannot be proved by HTTP, so list each name that is used')
  for (const text of ['https://Shop.example.org/x', 'shop.example.org:443', 'SHOP.example.org', 'shop.example.org.'])
    assert.is(
      said(text),
      `should be a domain name alone, in lower case: shop.example.org, found ${JSON.stringify(text)}`,
    )
  assert.is(said('a b'), 'should be a domain name like shop.example.org, found "a b"')
})

test('the inventory says where a bot is from, and its secrets', () => {
  takes(botSettings, 'source', ['../shop'], [''])
  const digest = `sha256:${'0'.repeat(64)}`
  takes(
    botSettings,
    'image',
    ['shop:1', 'r.org:5000/a/b-c:1.2', `a@${digest}`],
    ['shop', 'shop:latest', 'a b:1', `a@${digest}0`, '/a:1', 'a:1 '],
  )
  assert.match(messages(botSettings, { image: 'shop:latest' }).join(), 'an image with a version or a digest')
  assert.match(messages(botSettings, { image: 'shop' }).join(), 'an image with a version or a digest')
  takes(
    botSettings,
    'token',
    [{ env: 'A' }, { command: 'x' }],
    [{ env: 'a' }, { command: '' }, {}, 'x', { env: 'A', command: 'x' }],
  )
  takes(botSettings, 'secrets', [{ A: { env: 'B' } }], [{ a: { env: 'B' } }, { A: 'x' }])
})

for (const [key, good, bad] of [
  ['network', ['10.0', '10.210'], ['11.0', '10.1000', '10.1.2', 'x10.1']],
  ['telegram', ['http://a', 'https://a:8081'], ['ftp://a', 'https://a/', 'https://a b', 'x https://a']],
  ['caFile', ['/a/b.pem'], ['a', '/a/', '/a b', 'x/a']],
  ['settle', [0, 600], [-1, 601, 1.5]],
  ['drain', [0, 600], [-1, 601, 1.5]],
  ['keep', [1, 50], [0, 51, 1.5]],
  [
    'registries',
    [{ 'r.org': { username: 'a', password: { env: 'A' } } }],
    [{ 'r.org': { username: '', password: { env: 'A' } } }, { 'r.org': {} }],
  ],
] as const)
  test(`the role takes ${key}`, () => takes(vars, key, good, bad))

test('what is left out of the role', () => {
  const usual = {
    network: '10.210',
    telegram: 'https://api.telegram.org',
    settle: 20,
    drain: 30,
    registries: {},
    keep: 3,
  }
  assert.equal(v.parse(vars, {}), usual)
})

test.run()
