// Needs a VPS of its own: `any`, the sandbox's certificate authority, and its Telegram as https://api.telegram.org. Four bots that
// know nothing of botgarden: they chat, and keep what they have through releases, rollbacks, a boot, a backup and a restore.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { removeVps, restartVps } from '../../../sandbox/index.ts'
import { type Run, resultOf, run, scratchFile } from '../../support/runner.ts'
import { type ForeignBot, foreignBotHost, foreignBots, ownSecret } from '../../support/vps/foreign-bots.ts'

const host = 'any'
const folder = mkdtempSync(join(tmpdir(), 'any-bot-test-'))
const identity = await generateX25519Identity()
const key = scratchFile('any-key', `${identity}\n`)
const recipients = [await identityToRecipient(identity)]
const backups = { recipients, local: join(folder, 'copies') }
const { file, deploy, inside, answer, begin, site, telegram, called } = foreignBotHost(host, {
  ...{ domain: `${host}.sandbox`, backups },
})

/** The n-th thing that each bot is told, by all the same person. */
const people: Record<string, number> = Object.fromEntries(foreignBots.map((name, i) => [name, 900_000_000 + i]))
let said = 0
const replies: Record<ForeignBot, (text: string, n: number) => string> = {
  python: (text, n) => `python: ${text}, visit ${n}`,
  grammy: (text, n) => `grammy: ${text}, message ${n}`,
  sqlite: (text, n) => `sqlite: ${text}, note ${n}`,
  go: (text, n) => `go: ${text}, word ${n}, tls true`,
}

/** Each bot is told a word by a person whom it knows, and has counted all words before. */
async function allCount(n: number, only: readonly ForeignBot[] = foreignBots): Promise<void> {
  for (const name of only) {
    const word = `word${said++}`
    assert.is(await answer(word, name, people[name]), replies[name](word, n), name)
  }
}

const done = (result: Run) => assert.is(result.code, 0, `${result.stdout}${result.stderr}`)

test.before(begin)
test.after(async () => {
  rmSync(folder, { recursive: true })
  await removeVps(host)
})

for (const name of foreignBots)
  test(`${name}: a check lists what the first release does, the second changes nothing, and it answers`, async () => {
    const check = resultOf(await deploy(['--name', name, '--check'], file()), host)
    const first = await deploy(['--name', name], file())
    done(first)
    assert.equal((resultOf(first, host).ids as string[]).sort(), [...check.ids, ...check.unknownIds].sort())
    const { changed, unknown, roundTrips } = resultOf(await deploy(['--name', name], file()), host)
    assert.equal({ changed, unknown, roundTrips }, { changed: 0, unknown: 0, roundTrips: 1 })
    await allCount(1, [name])
  })

test('site.ts changes nothing', async () => assert.equal(resultOf(await site(file()), host).ids, []))

test('a webhook is set by whom bot.yaml says, with its secret', async () => {
  for (const name of ['python', 'grammy', 'go'] as const) {
    const { webhook } = (await telegram().report(called(name))) as unknown as { webhook: { url: string } }
    assert.is(webhook.url, `https://${host}.sandbox/tg/${name}`, name)
  }
})

test('secrets are where they were asked for, and else only in the records of the engine, which root alone reads', async () => {
  const holders = async (value: string) => {
    const found = await inside(
      `grep -rlsF -e "${value}" /etc /opt /root /home /var/lib /var/log /run /tmp --exclude-dir=overlay2 | sort -u`,
    )
    const paths = found.split('\n')
    for (const path of paths)
      assert.match(await inside(`su -s /bin/sh nobody -c 'cat ${path}' 2>&1 >/dev/null`), 'Permission denied', path)
    return [...new Set(paths.map((path) => path.replace(/[0-9a-f]{64}/, 'ID')))]
  }
  const engine = [
    '/run/containerd/io.containerd.runtime.v2.task/moby/ID/config.json',
    '/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db',
    '/var/lib/docker/containers/ID/config.v2.json',
  ]
  const token = await inside('cat /etc/botgarden/secrets/bots/python/token')
  assert.equal(await holders(token), ['/etc/botgarden/secrets/bots/python/token', ...engine])
  assert.equal(await holders(ownSecret), ['/etc/botgarden/secrets/bots/grammy/WEBHOOK_SECRET', ...engine])
  assert.is(await inside('ls -A /run/botgarden/variables'), '')
})

test('a new version and the one before have the data', async () => {
  for (const name of foreignBots) done(await deploy(['--name', name], file({ [name]: { args: { VERSION: 2 } } })))
  await allCount(2)
  for (const name of foreignBots) done(await deploy(['--name', name, '--rollback'], file()))
  await allCount(3)
})

test('each is back after a boot, with its data', async () => {
  await restartVps(host)
  await allCount(4)
  assert.equal(resultOf(await site(file()), host).ids, [])
})

test('what was lost comes back from a backup', async () => {
  done(await run(['playbooks/backup.ts', '-i', file()]))
  await allCount(5)
  for (const name of foreignBots)
    done(await run(['playbooks/restore.ts', '-i', file(), '--name', name, '--identity', key, '--yes']))
  await allCount(5)
})

test.run()
