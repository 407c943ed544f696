// Who is told what, and when: also where nobody takes it for a while.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { botToken, token, watchedHost } from './watched-host.ts'

test('what stays wrong is told again after a day, and no more often', async () => {
  const host = watchedHost()
  host.note('df', '/ 97% 12%\n')
  assert.match(await host.sent(), /97 %/)
  assert.is(await host.sent(23 * 60), '')
  assert.match(await host.sent(70), /^--- chat\n⚠️ vps1: still: the disk at \/ is 97 % full/)
  assert.is(await host.sent(), '')
})

for (const [what, answer] of [
  ['does not answer', ''],
  ['asks to wait', '{"ok":false,"error_code":429,"parameters":{"retry_after":30}}'],
  ['has trouble', '{"ok":false,"error_code":502}'],
] as const)
  test(`Telegram ${what}: all is kept, and told as one message later`, async () => {
    const host = watchedHost({ deadman: 'https://deadman.example/x' })
    host.note('answer', answer)
    host.note('df', '/ 97% 12%\n')
    assert.is(await host.sent(), '', 'nothing is delivered, and the deadman is not pinged')
    host.note('df', '/ 41% 12%\n')
    host.hook({ ...host.own, url: '' })
    for (let i = 0; i < 4; i++) assert.is(await host.sent(), '')
    assert.is((host.noted('asked').match(/sendMessage/g) ?? []).length, 5)
    host.note('answer', '{"ok":true}')
    const said = await host.sent()
    assert.match(
      said,
      /^--- chat\n⚠️ vps1: hello: its webhook is gone[\s\S]*✅ vps1: was and is over: the disk at \/ is 97 % full\nfrom .* for 1 min\n--- deadman$/,
    )
    assert.is(await host.sent(), '--- deadman')
  })

test('a chat that refuses is not asked each minute, and says why in the journal', async () => {
  const host = watchedHost()
  host.note('answer', '{"ok":false,"error_code":403,"description":"Forbidden: bot was kicked"}')
  host.note('df', '/ 97% 12%\n')
  assert.match(
    (await host.tick()).output,
    /alerts cannot be sent to the chat: Telegram refuses: Forbidden: bot was kicked/,
  )
  for (let i = 0; i < 4; i++) await host.tick()
  assert.is((host.noted('asked').match(/sendMessage/g) ?? []).length, 1)
})

test('each sink has what it was told: one that is away does not repeat the other', async () => {
  const host = watchedHost({ url: 'https://alerts.example/x' })
  host.note('posted', '500')
  host.note('df', '/ 97% 12%\n')
  assert.match(await host.sent(), /^--- chat\n.*97/)
  assert.is(await host.sent(), '')
  host.note('posted', '204')
  assert.match(await host.sent(), /^--- url\n.*97/)
})

test('what was told outlives a boot, and a full disk keeps nobody from being told', async () => {
  const host = watchedHost()
  host.note('df', '/ 97% 12%\n')
  assert.match(await host.sent(), /97/)
  await host.run('rm -rf /run/botgarden/watch')
  assert.is(await host.sent(), '')
  host.program('cp', 'exit 1')
  host.hook({ ...host.own, url: '' })
  assert.match(await host.sent(), /webhook is gone/)
  assert.is(await host.sent(), '')
})

test('what one message has no room for is told by the next, and so is its end', async () => {
  const host = watchedHost()
  const disks = (percent: number) =>
    Array.from({ length: 40 }, (_, i) => `/mnt/of-some-length-${i} ${percent}% 1%\n`).join('')
  const count = (text: string, said: RegExp) => [...text.matchAll(said)].length
  host.note('df', disks(97))
  const first = await host.sent()
  const more = Number(/… and (\d+) more in the next message/.exec(first)?.[1])
  assert.ok(first.length < 4096 && more > 0)
  assert.is(count(first, /is 97 % full/g) + more, 40)
  assert.is(count(await host.sent(), /is 97 % full/g), more)
  assert.is(await host.sent(), '')
  host.note('df', disks(41))
  const ends = `${await host.sent()}${await host.sent()}`
  assert.is(count(ends, /resolved: the disk/g), 40)
  assert.is(await host.sent(), '')
})

test('a table that is torn is begun anew', async () => {
  const host = watchedHost()
  host.write('/var/lib/botgarden/watch/chat.table', 'disk:/\tyesterday\n\t\t\t\nx')
  assert.is(await host.sent(), '')
})

test('the summary comes once a day, after its time', async () => {
  const host = watchedHost({ digest: '17:00' })
  assert.is(await host.sent(), '', '16:01')
  const said = await host.sent(60)
  assert.match(
    said,
    /^--- chat\n📋 vps1: all is well\nmemory: 500 of 1000 MiB in use, load 0.10\nbots: 1\ndisk \/: 41%, inodes 12%\ncertificate of b.example.org: until /,
  )
  assert.is(await host.sent(60), '')
  assert.match(await host.sent(24 * 60), /📋/)
})

test('a summary that one sink has taken is not sent to it again for the sake of the other', async () => {
  const host = watchedHost({ digest: '00:00', url: 'https://alerts.example/x' })
  host.note('posted', '500')
  assert.match(await host.sent(), /^--- chat\n📋/)
  assert.is(await host.sent(), '')
  host.note('posted', '200')
  assert.match(await host.sent(), /^--- url\n📋/)
})

test('no secret is in an argument, and a token that is none goes nowhere', async () => {
  const host = watchedHost({ url: 'https://alerts.example/secret-path', deadman: 'https://deadman.example/secret-id' })
  host.note('df', '/ 97% 12%\n')
  const { calls } = await host.tick()
  const all = calls.join('\n')
  assert.match(all, /^curl /m)
  for (const secret of [token, botToken, 'secret-path', 'secret-id']) assert.not.ok(all.includes(secret), secret)
  host.write('/etc/botgarden/secrets/bots/hello/token', '7001:x/etc/passwd"')
  host.note('asked', '')
  await host.tick()
  assert.not.match(host.noted('asked'), 'passwd')
})

test('the set-up message must be taken by each sink', async () => {
  const host = watchedHost({ url: 'https://alerts.example/x' })
  const { code, sent } = await host.tick(0, ['--prove'])
  assert.equal([code, sent.match(/^---.*/gm)], [0, ['--- chat', '--- url']])
  host.note('answer', '{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}')
  const refused = await host.tick(0, ['--prove'])
  assert.is(refused.code, 1)
  assert.match(refused.output, /Telegram refuses: Bad Request: chat not found/)
})

test.run()
