// Needs a bare VPS of its own: `api-root`. Bots that know Telegram as https://api.telegram.org, on images made when asked for.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { askStandIns, removeVps } from '../../../sandbox/index.ts'
import { resultOf } from '../../support/runner.ts'
import { botHost } from '../../support/vps/bot-host.ts'

const host = 'api-root'
const domain = `${host}.sandbox`
const folder = mkdtempSync(join(tmpdir(), 'api-root-test-'))
const { inventory, site, deploy, changed, inside, answer, begin, bots } = botHost(host, ['hello-bot', 'python-bot'])

/** The model in Python as most people would write it: with the address built in, on an image of Python's own. */
function pythonBot(): string {
  const source = join(folder, 'python-bot')
  cpSync(resolve(import.meta.dirname, '../../support/python-bot'), source, { recursive: true })
  const code = readFileSync(join(source, 'bot.py'), 'utf8')
  const builtIn = code.replace(`{os.environ['TELEGRAM_API_ROOT']}`, 'https://api.telegram.org')
  assert.is.not(builtIn, code)
  writeFileSync(join(source, 'bot.py'), builtIn)
  writeFileSync(join(source, 'Dockerfile'), 'FROM python:3.13-slim\nCOPY bot.py /\nCMD ["python", "-u", "/bot.py"]\n')
  return source
}

const ca = { telegram: 'https://api.telegram.org', caFile: '/etc/ssl/certs/ca-certificates.crt' }
const trusting = (more: object = {}) => inventory({}, { domain }, { ...ca, ...more })

test.before(async () => {
  await askStandIns(['python'])
  bots['python-bot'] = { host, source: pythonBot() }
  await begin()
})
test.after(async () => {
  rmSync(folder, { recursive: true })
  await removeVps(host)
})

test('the host finds Telegram under its own name, and trusts it', async () => {
  assert.is(
    await inside('curl -sS --max-time 10 https://api.telegram.org/'),
    '{"ok":false,"error_code":404,"description":"Not Found"}',
  )
})

test('bots in Node and in Python talk to it', async () => {
  const result = await deploy(['--name', 'hello-bot,python-bot'], trusting())
  assert.is(result.code, 0, resultOf(result, host).error)
  assert.match(await answer('/start'), /^Hello/)
  assert.is(await answer('how are you', 'python-bot'), 'python: how are you')
  assert.is(resultOf(await deploy(['--name', 'hello-bot,python-bot'], trusting()), host).changed, 0)
  assert.is(resultOf(await site(trusting()), host).changed, 0)
})

test('the python of its image is the one that was asked for', async () => {
  assert.match(
    await inside('docker exec $(docker ps -q --filter label=botgarden.bot=python-bot) python --version'),
    /^Python 3\.13\./,
  )
})

test('another file of authorities starts bots anew, and a check says so before', async () => {
  const own = await inside('cp /etc/ssl/certs/ca-certificates.crt /etc/ours.pem && echo /etc/ours.pem')
  const ids = ['release:hello-bot', 'release:python-bot']
  const check = await deploy(['--name', 'hello-bot,python-bot', '--check'], trusting({ caFile: own }))
  assert.equal(resultOf(check, host).ids, ids)
  assert.equal(changed(await site(trusting({ caFile: own }))), ids)
  assert.is(await answer('still there', 'python-bot'), 'python: still there')
  assert.is(resultOf(await site(trusting({ caFile: own })), host).changed, 0)
})

test('a file that is not there is refused before anything is changed', async () => {
  const { error } = resultOf(await site(trusting({ caFile: '/etc/nowhere.pem' })), host)
  assert.is(error, 'bot.caFile: this host has no file /etc/nowhere.pem; put it there, or leave the key out')
})

test.run()
