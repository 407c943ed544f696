import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readConfig, readDatabaseConfig } from '../src/config.ts'
import { cleanUp } from './support/cleanup.ts'
import { emptyFolder } from './support/folder.ts'

test.after.each(cleanUp)

const token = '123456:ABC-def'

/** The faults, a line each. */
function faults(env: NodeJS.ProcessEnv): string[] {
  try {
    readConfig(env)
    return []
  } catch (error) {
    return (error as Error).message.split('\n  ').slice(1)
  }
}

test('a token is enough', () => {
  assert.equal(readConfig({ BOT_TOKEN: token }), {
    token,
    mode: 'polling',
    webhook: { path: '/webhook', secret: '' },
    port: 3000,
    apiRoot: 'https://api.telegram.org',
    logLevel: 'info',
    database: { kind: 'embedded', folder: 'data' },
    secrets: [token],
  })
})

test('the certificate of the database server is read from its file', () => {
  const file = join(emptyFolder(), 'server.crt')
  writeFileSync(file, 'PEM\n')
  const env = { BOT_TOKEN: token, PGHOST: 'postgres', PGUSER: 'u', PGDATABASE: 'd' }
  assert.equal(readDatabaseConfig({ ...env, PGSSLROOTCERT: file }), {
    ...{ kind: 'server', host: 'postgres', port: 5432, user: 'u', database: 'd', password: undefined },
    certificate: 'PEM',
  })
  assert.match(faults({ ...env, PGSSLROOTCERT: '/none' })[0] ?? '', /^PGSSLROOTCERT: cannot read \/none/)
})

test('`system` is no file: whom Node trusts vouches for the server', () => {
  const env = { PGHOST: 'db.example.org', PGUSER: 'u', PGDATABASE: 'd', PGSSLROOTCERT: 'system' }
  const config = readDatabaseConfig(env)
  assert.is(config.kind === 'server' && config.certificate, 'system')
})

test('all faults are told at once', () => {
  const env = {
    BOT_MODE: 'carrier-pigeon',
    WEBHOOK_SECRET: 'with spaces',
    WEBHOOK_PATH: 'webhook',
    PORT: '70000',
    TELEGRAM_API_ROOT: 'ftp://example.org',
    LOG_LEVEL: 'loud',
    PGHOST: '/run/postgresql',
    PGPORT: 'five',
    PGPASSWORD_FILE: '/nowhere/password',
  }
  assert.equal(
    faults(env).map((fault) => fault.split(':')[0]),
    [
      ...['PGPORT', 'PGPASSWORD_FILE', 'PGUSER', 'PGDATABASE', 'BOT_TOKEN', 'BOT_MODE', 'WEBHOOK_PATH'],
      ...['WEBHOOK_SECRET', 'PORT', 'TELEGRAM_API_ROOT', 'LOG_LEVEL'],
    ],
  )
})

const wrong: [env: NodeJS.ProcessEnv, faults: string[]][] = [
  [{}, ['BOT_TOKEN: is missing; set it, or BOT_TOKEN_FILE']],
  [{ BOT_TOKEN: '' }, ['BOT_TOKEN: is missing; set it, or BOT_TOKEN_FILE']],
  [{ BOT_TOKEN: 'abc' }, ['BOT_TOKEN: should look like 123456:ABC-def, as BotFather gives it']],
  [{ BOT_TOKEN_FILE: '/nowhere' }, ['BOT_TOKEN_FILE: cannot read /nowhere: ENOENT']],
  [
    { BOT_TOKEN: token, BOT_TOKEN_FILE: '/dev/null' },
    ['BOT_TOKEN: is given twice, as BOT_TOKEN and as BOT_TOKEN_FILE', 'BOT_TOKEN_FILE: /dev/null is empty'],
  ],
  [
    { BOT_TOKEN: token, BOT_MODE: 'webhook' },
    ['WEBHOOK_SECRET: is missing; BOT_MODE=webhook needs it, or WEBHOOK_SECRET_FILE'],
  ],
  [{ BOT_TOKEN: token, PORT: '0' }, ['PORT: should be a port, 1 to 65535']],
  [{ BOT_TOKEN: token, DATABASE_URL: 'mysql://x' }, ['DATABASE_URL: should begin with postgres://']],
  [{ BOT_TOKEN: token, PGHOST: 'db', PGDATABASE: 'x' }, ['PGUSER: is missing; PGHOST needs it']],
]
for (const [env, expected] of wrong) {
  test(`says what is wrong: ${JSON.stringify(env)}`, () => assert.equal(faults(env), expected))
}

test('no fault shows a secret', () => {
  const env = { BOT_TOKEN: 'my secret', WEBHOOK_SECRET: 'my secret', DATABASE_URL: 'my secret' }
  assert.is(faults(env).length, 3)
  assert.not.match(faults(env).join(), 'my secret')
})

test('secrets come from files as well, and the end of line is not part of them', () => {
  const folder = emptyFolder()
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const config = readConfig({
    BOT_TOKEN_FILE: file('token', `${token}\n`),
    BOT_MODE: 'webhook',
    WEBHOOK_SECRET_FILE: file('secret', 'abc_DEF-1\r\n'),
    DATABASE_URL_FILE: file('url', 'postgres://user:pa$$word@db/hello\n'),
  })
  assert.equal([config.token, config.webhook.secret], [token, 'abc_DEF-1'])
  assert.equal(config.database, { kind: 'url', url: 'postgres://user:pa$$word@db/hello' })
  assert.equal(config.secrets, [token, 'abc_DEF-1', 'pa$$word'])
})

test('a password file is read for each connection, so that it may change', () => {
  const folder = emptyFolder()
  const file = join(folder, 'password')
  writeFileSync(file, 'old\n')
  const env = { PGHOST: '/run/postgresql', PGUSER: 'hello', PGDATABASE: 'hello', PGPASSWORD_FILE: file }
  const config = readDatabaseConfig(env)
  if (config.kind !== 'server') throw new Error(config.kind)
  const { host, port, user, database, password } = config
  assert.equal(
    { host, port, user, database },
    { host: '/run/postgresql', port: 5432, user: 'hello', database: 'hello' },
  )
  assert.is(password?.(), 'old')
  writeFileSync(file, 'new\n')
  assert.is(password?.(), 'new')
})

test('a URL goes before PGHOST', () => {
  const env = { DATABASE_URL: 'postgresql:///hello?host=/run/postgresql', PGHOST: 'elsewhere' }
  assert.is(readDatabaseConfig(env).kind, 'url')
})

test('an API root may end with a slash', () => {
  const { apiRoot } = readConfig({ BOT_TOKEN: token, TELEGRAM_API_ROOT: 'http://telegram:8081//' })
  assert.is(apiRoot, 'http://telegram:8081')
})

test.run()
