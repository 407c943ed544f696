// A database that somebody else keeps: what the inventory takes, and what a bot is given.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import type { Read } from '../../../../lib/model/resource.ts'
import { variablesFunction } from '../../../../roles/bot/release/variables.ts'
import { externalDatabasePassFile } from '../../../../roles/bot/secrets.ts'
import { conflictsIn } from '../../../../roles/bot/spec/conflicts.ts'
import { botManifestSchema, botSettings } from '../../../../roles/bot/spec/schema.ts'
import { specOf } from '../../../../roles/bot/spec/spec.ts'
import { scratchHost } from '../../../support/scratch-host.ts'

const password = { env: 'SHOP_DB' }
const at = (url: string, more: object = {}) => ({ database: { external: { url, password }, ...more } })
const good = 'postgresql://app@db.example.org/shop'

for (const url of [
  good,
  'postgres://app@db.example.org:25060/shop?sslmode=require&channel_binding=require',
  'postgresql://app@10.0.0.5/shop?sslmode=disable',
  'postgresql://app@192.168.1.5/shop?sslmode=prefer',
  'postgresql://app@100.64.0.5/shop?sslmode=allow',
  'postgresql://app%40server@db.example.org/shop',
])
  test(`the inventory takes ${url}`, () => assert.ok(v.is(botSettings, at(url))))

for (const [url, message] of [
  ['db.example.org', /should be postgresql:\/\/USER@HOST/],
  ['mysql://app@db.example.org/shop', /should begin with postgresql:\/\//],
  ['postgresql://app:hunter2@db.example.org/shop', /has the password in it: .* password: \{ env: NAME \}/],
  ['postgresql://app@db.example.org/shop?password=hunter2', /has the password in it/],
  ['postgresql://db.example.org/shop', /should name user, host and database/],
  ['postgresql://app@db.example.org/', /should name user, host and database/],
  ['postgresql://app@db.example.org/a/b', /should name user, host and database/],
  ['postgresql://app@[2001:db8::1]/shop', /should name one host/],
  ["postgresql://a'b@db.example.org/shop", /characters/],
  ['postgresql://app@db.example.org/%zz', /characters/],
  ['postgresql://app@db.example.org/shop?sslmode=yes', /sslmode=yes: should be one of disable/],
  ['postgresql://app@db.example.org/shop?sslmode=disable', /unencrypted: leave sslmode out/],
  ['postgresql://app@172.32.0.1/shop?sslmode=prefer', /unencrypted/],
  ['postgresql://app@100.128.0.1/shop?sslmode=prefer', /unencrypted/],
] as const)
  test(`the inventory refuses ${url}, and repeats no password`, () => {
    const said = JSON.stringify(
      v.flatten(v.safeParse(botSettings, at(url)).issues ?? [v.safeParse(botSettings, 1).issues?.[0] as never]),
    )
    assert.match(said, message)
    assert.not.match(said, /hunter2/)
  })

test('it has no password, or keys of a server of the host beside it: that is refused', () => {
  assert.not(v.is(botSettings, { database: { external: { url: good } } }))
  for (const more of [{ tcp: true }, { connections: 9 }, { extensions: ['pg_trgm'] }, { init: 'a.sql' }])
    assert.not(v.is(botSettings, at(good, more)))
  assert.match(
    JSON.stringify(v.safeParse(botManifestSchema, at(good)).issues),
    /belongs to the place and not to the app/,
  )
})

test('a bot with one has none of its host, whatever its manifest asks of it', () => {
  const spec = specOf('a:1', at(good), {
    database: { tcp: true, connections: 20, extensions: ['pg_trgm'], init: 'a.sql' },
  })
  assert.equal(
    { database: spec.database, external: spec.external, secrets: spec.secrets },
    {
      database: false,
      external: { host: 'db.example.org', port: 5432, user: 'app', name: 'shop', sslmode: 'verify-full' },
      secrets: ['DATABASE_PASSWORD'],
    },
  )
  assert.equal([spec.tcp, spec.connections, spec.extensions], [undefined, undefined, undefined])
  assert.equal(conflictsIn(specOf('a:1', { ...at(good), environment: { URL: '${database.url}' } }, {})), [])
})

const odd = 'a:b\\c@d/e%f $g\'h"i é'
const instance = {
  ...{ bot: 'a-bot', number: 1, base: '10.210', telegram: 'https://api.telegram.org' },
  origin: 'https://bots.example.org',
}
const folder = '/etc/botgarden/secrets/bots/a-bot'

test('a password of any characters is right in the URL', async () => {
  const host = scratchHost({ reader: 'cat /run/botgarden/variables/a-bot-blue' })
  host.write(`${folder}/DATABASE_PASSWORD`, odd)
  const settings = {
    ...at('postgresql://app@db.example.org:25060/shop?sslmode=require&channel_binding=require'),
    environment: { URL: '${database.url}' },
  }
  const { text } = variablesFunction(instance, 'blue', specOf('a:1', settings, {}))
  const { output } = await host.run(`${text}\nwith_variables reader`)
  const url = new URL(/^URL="(.*)"$/m.exec(output)?.[1] ?? '')
  assert.is(decodeURIComponent(url.password), odd)
  assert.equal(
    [url.host, url.pathname, url.search],
    ['db.example.org:25060', '/shop', '?sslmode=require&channel_binding=require'],
  )
})

test('and in the password file of libpq, where a colon and a backslash have one before them', async () => {
  const host = scratchHost()
  host.write(`${folder}/DATABASE_PASSWORD`, odd)
  const resource = externalDatabasePassFile(folder, 'a-bot')
  const [change] = resource.plan((() => false) as Read)
  const { code, output } = await host.run(change?.script.text ?? 'exit 9')
  assert.is(code, 0, output)
  assert.is(host.read(`${folder}/external-pgpass`), `*:*:*:*:${odd.replace(/[\\:]/g, '\\$&')}\n`)
})

test.run()
