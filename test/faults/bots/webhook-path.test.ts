// Needs a bare VPS of its own: `path`, the sandbox's certificate authority and its Telegram. A bot that has its token in its webhook's
// URL: it is delivered to, and no log of nginx has the token, whatever comes of a request.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { removeVps } from '../../../sandbox/index.ts'
import { type Run, resultOf, run, scratchFile } from '../../support/runner.ts'
import { botHost } from '../../support/vps/bot-host.ts'

const host = 'path'
const name = 'token-path'
const model = resolve(import.meta.dirname, '../../bots', name)
const { bots, tokens, inventory, deploy, inside, answer, begin, telegram, called, site } = botHost(host, [name])
delete bots['hello-bot']
const file = (source = model) => inventory({ [name]: { host, source } })
const url = `https://${host}.sandbox/tg/${name}`
const printed: string[] = []
const told = (result: Run) => {
  printed.push(result.stdout, result.stderr)
  return result
}
const token = () => Object.values(tokens)[0] as string
const loggedBy = async (place: string) => (await inside(`docker logs ${place} 2>&1`)).split('\n')

test.before(begin)
test.after(() => removeVps(host))

test('it is delivered to by a URL with its token, which the second run leaves as it is', async () => {
  assert.is(told(await deploy(['--name', name, '--diff', '-v'], file())).code, 0)
  assert.match(await answer('hello', name), /^token-path: hello, number 1/)
  const { webhook } = (await telegram().report(called(name))) as unknown as { webhook: { url: string } }
  assert.is(webhook.url, `${url}/${token()}`)
  for (const again of [await deploy(['--name', name], file()), await site(file())]) {
    const { changed, roundTrips } = resultOf(told(again), host)
    assert.equal([changed, roundTrips], [0, 1])
  }
})

test('a request that nginx or the bot refuses leaves its path in the access log, and not what follows', async () => {
  const before = (await loggedBy('botgarden-nginx')).length
  const status = (words: string) =>
    inside(`curl -sk -o /dev/null -w '%{http_code}' --resolve ${host}.sandbox:443:127.0.0.1 ${words}`)
  const whole = `${url}/${token()}`
  await inside('head -c 2000000 /dev/zero >/tmp/large')
  const seen: Record<string, string> = {
    other: await status(`-d '{}' ${url}/x${token()}`),
    get: await status(whole),
    space: await status(`-X POST ${whole}%20x`),
    line: await status(`-X POST ${whole}%0a`),
    lines: await status(`-X POST ${whole}%0d%0aHost:x`),
    large: await status(`--data-binary @/tmp/large ${whole}`),
    chunked: await status(`-H 'Transfer-Encoding: chunked' --data-binary @/tmp/large ${whole}`),
    long: await status(`--http1.1 -X POST ${whole}$(head -c 9000 /dev/zero | tr '\\0' x)`),
  }
  await inside(`docker stop -t 1 $(docker ps -q --filter label=botgarden.bot=${name})`)
  seen.away = await status(`-d '{}' ${whole}`)
  const flood = (path: string) =>
    inside(
      `seq 80 | xargs -P 40 -I{} curl -sk -o /dev/null -w '%{http_code}\\n' --resolve ${host}.sandbox:443:127.0.0.1 -d '{}' ${path} | grep -c 429`,
    )
  assert.ok(Number(await flood(whole)) > 0)
  assert.ok(Number(await flood(`${whole}%20`)) > 0)
  assert.equal(seen, {
    ...{ other: '404', get: '403', space: '404', line: '404', lines: '404', large: '413', chunked: '413', long: '414' },
    away: '503',
  })
  const lines = (await loggedBy('botgarden-nginx')).slice(before)
  assert.equal(
    lines.filter((line) => line.includes(token()) || line.includes(token().slice(-20))),
    [],
  )
  for (const code of [403, 404, 413, 429, 503])
    assert.ok(
      lines.some((line) => line.includes(`"uri":"/tg/${name}"`) && line.includes(`"status":${code},`)),
      `${code}`,
    )
  assert.is(await inside(`grep -rlF ${token()} /var/log /run/log 2>/dev/null || :`), '')
  assert.is(await inside(`journalctl -q --no-pager | grep -cF ${token()} || :`), '0')
})

test('it comes back, and answers', async () => {
  await site(file())
  assert.match(await answer('again', name), /^token-path: again/)
})

test('a version that sets another URL is not released, and the run does not say what it appended', async () => {
  const source = join(dirname(scratchFile('path-test', '')), 'elsewhere')
  mkdirSync(source, { recursive: true })
  cpSync(model, source, { recursive: true })
  const program = readFileSync(join(model, 'bot.mjs'), 'utf8')
  const elsewhere = program.replace(
    '`${WEBHOOK_URL}/${BOT_TOKEN}` }',
    '`${new URL(WEBHOOK_URL).origin}/elsewhere/${BOT_TOKEN}` }',
  )
  assert.is.not(elsewhere, program)
  writeFileSync(join(source, 'bot.mjs'), elsewhere)
  const result = told(await deploy(['--name', name, '-v'], file(source)))
  assert.is(result.code, 3)
  assert.match(
    `${result.stdout}${result.stderr}`,
    `the bot has not set its webhook to ${url}/… within 60 s: Telegram has https://${host}.sandbox/…`,
  )
  assert.match(await answer('still here', name), /^token-path: still here/)
})

test('nothing that was printed here has the token', () => {
  assert.ok(printed.length >= 6)
  assert.equal(
    printed.filter((text) => text.includes(token())),
    [],
  )
})

test('a bot that appends nothing has no such location', async () => {
  const config = await inside(`cat /opt/botgarden/nginx/conf/bots/*.conf`)
  assert.match(config, `location = /tg/${name} {`)
  assert.is((await run(['playbooks/bot.ts', '-i', file(), '--name', name, '--remove', '--yes'], tokens)).code, 0)
  assert.is(await inside('ls /opt/botgarden/nginx/conf/bots'), '')
})

test.run()
