import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { healthFunctions } from '../../../roles/bot/release/health-check.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import { place } from '../../support/release-policy.ts'
import { withPrograms } from '../../support/stubs.ts'

const instance = {
  bot: 'hello',
  number: 1,
  ...place,
}
const functions = (readyTimeout: number) =>
  healthFunctions(instance, 'blue', specOf('x:1', {}, { health: '/readyz' }), readyTimeout).text
/** A server that takes a connection and never answers. */
const hangs = `while [ "$1" != --max-time ]; do shift; done; sleep "$2"; printf 000; exit 28`

test('a health path that hangs is waited for as long as is said, and no longer', async () => {
  const began = Date.now()
  const { code, said } = await withPrograms(
    { docker: "echo 'true 0'", curl: hangs },
    `new=hello\n${functions(3)}\nawait_health`,
  )
  const seconds = (Date.now() - began) / 1000
  assert.is(code, 1)
  assert.ok(seconds < 8, `${seconds} s`)
  const [, told] = /not ready within (\d+) s/.exec(said) ?? []
  assert.ok(Math.abs(Number(told) - seconds) < 2, `told as ${said}, and took ${seconds} s`)
})

test('a container that ends while it is awaited is not waited for, one that is well at last is', async () => {
  const ended = await withPrograms(
    { docker: "echo 'false 0'", curl: 'exit 7' },
    `new=hello\n${functions(30)}\nawait_health`,
  )
  assert.equal([ended.code, ended.said], [1, 'hello exited before it was ready\n'])
  const slow = '[ -e "$0.tried" ] && { printf 200; exit 0; }; touch "$0.tried"; printf 503'
  const well = await withPrograms({ docker: "echo 'true 0'", curl: slow }, `new=hello\n${functions(30)}\nawait_health`)
  assert.equal(well, { code: 0, said: '' })
})

test('how long it held is told by the clock', async () => {
  const dies = '[ ! -e "$0.dead" ] || { echo "false 0"; exit; }; sleep 1; touch "$0.dead"; echo "true 0"'
  const { said } = await withPrograms({ docker: dies }, `new=hello\n${functions(30)}\nsettle 10`)
  assert.match(said, /hello exited [34] s after it became ready/)
})

test('who holds the address of a version is named, unless it is that version', async () => {
  const report = async (...lines: string[]) =>
    (
      await withPrograms(
        { docker: `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')}` },
        `new=botgarden-hello-blue\n${functions(1)}\nreport_holder`,
      )
    ).said
  assert.match(
    await report('10.210.1.3/24 green', '10.210.1.2/24 stranger'),
    /10\.210\.1\.2 .* docker rm -f stranger\n$/,
  )
  assert.is(await report('10.210.1.3/24 green', '10.210.1.2/24 botgarden-hello-blue', '10.210.1.22/24 x'), '')
})

/** What is advised about a container with these last words. */
async function advice(words: string, { state = 'exited, exit code 1, out of memory: false', last = '' } = {}) {
  const docker = `case "$1 $2" in 'container inspect') echo '${state}' ;; logs*) cat <<'END'\n${words}\nEND\n;; esac`
  const { said } = await withPrograms({ docker }, `new=hello\n${functions(1)}\nlast='${last}'\nreport x`)
  return said.split('\n').flatMap((line) => /^advice: (.*)/.exec(line)?.[1] ?? [])
}

for (const [words, wanted] of [
  ["KeyError: 'BOT_TOKEN'", /misses the variable BOT_TOKEN: .* BOT_TOKEN: \$\{token\}$/],
  [
    '1 validation error for Settings\ndatabase_url\n  Field required [type=missing]',
    /DATABASE_URL: \$\{database.url\}$/,
  ],
  ['Error: Missing environment variables:\n  OPENAI_API_KEY: eg. "sk"', /OPENAI_API_KEY: \$\{secret.OPENAI_API_KEY\}$/],
  ['decouple.UndefinedValueError: TELEGRAM_TOKEN not found. Declare it', /TELEGRAM_TOKEN: \$\{token\}$/],
  ['Error: WEBHOOK_SECRET is not set', /\$\{webhook.secret\}$/],
  ['throw new Error("DB_HOST must be set")', /\$\{database.host\}$/],
  ["Error: EROFS: read-only file system, open '/app/x.db'", /read-only: list folders .* "data:" .* "scratch:"/],
  ['Error: connect ECONNREFUSED 127.0.0.1:5432', /"database: \{ tcp: true \}", .* \$\{database.url\}$/],
  ['psycopg.OperationalError: could not translate host name "postgres" to address', /"database: \{ tcp: true \}"/],
  ['[ioredis] Unhandled error event: Error: getaddrinfo ENOTFOUND redis', /"cache: valkey", .* \$\{cache.url\}$/],
  ['KeyError: REDIS_URL', /REDIS_URL: \$\{cache.url\}$/],
  ["OSError: [Errno 30] Read-only file system: 'logs'", /read-only/],
  ["EACCES: permission denied, open '/app/config.json'", /runs as user 20001 of this host/],
  ['exec /usr/bin/node: exec format error', /another processor/],
] as const)
  test(`advice on: ${words.split('\n').join(' / ')}`, async () => {
    const all = await advice(words)
    assert.is(all.length, 1, all.join('\n'))
    assert.match(all[0] ?? '', wanted)
  })

test('what the engine and the health check tell is advised on too; of other words nothing is made', async () => {
  assert.match((await advice('', { state: 'exited, out of memory: true, restarts 0' })).join(), /raise "memory:"$/)
  const refused = 'curl: (7) Failed to connect to 10.210.1.2 port 3000 after 0 ms: Could not connect to server000'
  assert.match((await advice('', { last: refused })).join(), /have it listen on all addresses \(0\.0\.0\.0\)/)
  for (const words of ['', 'Error: boom', 'ERR_MODULE_NOT_FOUND: Cannot find package required from /app', 'listening'])
    assert.equal(await advice(words), [])
})

test.run()
