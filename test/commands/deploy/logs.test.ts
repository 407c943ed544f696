// The log of a bot: what the host keeps and prints of it, by its own shell, and what is shown of that.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { byLine } from '../../../commands/deploy/by-line.ts'
import { headingScript, type LogQuery, logQueryOf, logsScript } from '../../../commands/deploy/logs/index.ts'
import { type LogLine, logReader, processesIn } from '../../../commands/deploy/logs/log-lines.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { shown } from '../../../lib/std/output.ts'
import { keepLogFunctions } from '../../../roles/bot/release/logs/kept-log.ts'
import { thrown } from '../../support/errors.ts'
import { type ScratchHost, scratchHost } from '../../support/scratch-host.ts'

const at = (second: number) => `2026-11-26T08:00:${String(second).padStart(2, '0')}.000000001Z`
const kept = '/var/lib/botgarden/bots/shop/logs'

/** docker as far as logs go: what a container has printed is its file in the folder of notes. */
const docker = `case $1 in
logs)
  for word; do name=$word; done
  [ -e "$STATE/said/$name" ] || { echo "Error response from daemon: No such container: $name" >&2; exit 1; }
  tail=all; while [ $# -gt 1 ]; do [ "$1" != --tail ] || tail=$2; shift; done
  if [ "$tail" = all ]; then cat "$STATE/said/$name"; else tail -n "$tail" "$STATE/said/$name"; fi
  exit ;;
ps) ls "$STATE/said" 2>/dev/null; exit 0 ;;
rm) for word; do rm -f "$STATE/said/$word"; done; exit ;;
esac`

function hostWith(said: Record<string, readonly string[]>): ScratchHost {
  const host = scratchHost()
  host.note('docker', docker)
  for (const [name, lines] of Object.entries(said)) host.note(`said/${name}`, lines.map((each) => `${each}\n`).join(''))
  return host
}

const retire = (host: ScratchHost, ...names: string[]) =>
  host.run(sh`
    ${keepLogFunctions('shop')}
    remove_containers ${names}`)
const query = (more: Partial<LogQuery> = {}): LogQuery => ({ follow: false, ...more })
const printed = async (host: ScratchHost, more: Partial<LogQuery> = {}) => {
  const { code, output } = await host.run(logsScript('shop', query(more)))
  assert.is(code, 0, output)
  return output
    .split('\n')
    .filter(Boolean)
    .map((line) => line.replace(/^\S+ botgarden-shop/, ''))
}
const read = (lines: readonly string[]) => {
  const out: LogLine[] = []
  const reader = logReader('shop', (line) => out.push(line))
  for (const line of lines) reader(line)
  return out
}

test('what a container has printed outlasts it, and the log goes over three releases in order', async () => {
  const host = hostWith({
    'botgarden-shop-blue': [`${at(1)} one`, `${at(2)} `],
    'botgarden-shop.worker-blue': [`${at(3)} w one`],
  })
  assert.is((await retire(host, 'botgarden-shop-blue', 'botgarden-shop.worker-blue')).code, 0)
  host.note('said/botgarden-shop-green', `${at(4)} two\n`)
  await retire(host, 'botgarden-shop-green')
  host.note('said/botgarden-shop-blue', `${at(6)} three\n`)
  host.note('said/botgarden-shop.worker-blue', `${at(5)} w three\n`)
  assert.equal(await printed(host), [
    '-blue one',
    '-blue ',
    '.worker-blue w one',
    '-green two',
    '.worker-blue w three',
    '-blue three',
  ])
  assert.equal(await printed(host, { process: 'worker' }), ['.worker-blue w one', '.worker-blue w three'])
  assert.equal(await printed(host, { process: 'bot', lines: 2 }), ['-green two', '-blue three'])
  assert.equal(await printed(host, { since: '2026-11-26T08:00:04Z' }), [
    '-green two',
    '.worker-blue w three',
    '-blue three',
  ])
  assert.equal(await printed(host, { since: 3600 * 24 * 365 * 50, lines: 1 }), ['-blue three'])
})

test('a container that is not there, and one that cannot be read, keep no release from going on', async () => {
  const host = hostWith({})
  assert.is((await retire(host, 'botgarden-shop-blue')).code, 0)
  assert.equal(await printed(host), [])
  const other = hostWith({ 'botgarden-shop-blue': [`${at(1)} one`] })
  other.write(kept, 'a file where the folder should be')
  assert.is((await retire(other, 'botgarden-shop-blue')).code, 0)
  assert.match(other.noted('calls'), 'docker rm -f --volumes botgarden-shop-blue')
})

test('what was kept twice, after an interruption, is shown once', async () => {
  const lines = [`${at(1)} one`, `${at(2)} two`]
  const host = hostWith({ 'botgarden-shop-blue': lines })
  await retire(host, 'botgarden-shop-blue')
  host.note('said/botgarden-shop-blue', lines.map((each) => `${each}\n`).join(''))
  await retire(host, 'botgarden-shop-blue')
  assert.equal(await printed(host), ['-blue one', '-blue two'])
})

test('of a log that has grown beyond 10 MB the end is kept, and whole lines are shown of it', async () => {
  const host = hostWith({ 'botgarden-shop-blue': [`${at(9)} the last`] })
  host.write(`${kept}/botgarden-shop.log`, `${at(1)} botgarden-shop-blue ${'x'.repeat(972)}\n`.repeat(10_000))
  await retire(host, 'botgarden-shop-blue')
  const text = host.read(`${kept}/botgarden-shop.log`)
  assert.ok(text.length <= 8_000_000, String(text.length))
  assert.match(text, /the last\n$/)
  const times = new Set(
    read((await host.run(logsScript('shop', query({ lines: 100_000 })))).output.split('\n')).map(({ time }) => time),
  )
  assert.equal([...times], [at(1), at(9)])
})

test('a word is looked for in what was printed, as it is', async () => {
  const said = ['a.b*[c]$ 100 %', 'aXb', 'blue', 'green-ish \\ ^']
  const host = hostWith({ 'botgarden-shop-blue': said.map((each, i) => `${at(i)} ${each}`) })
  for (const [word, found] of [
    ['a.b*[c]$', [0]],
    ['blue', [2]],
    ['\\ ^', [3]],
    ['botgarden', []],
    ['08:00', []],
    ['$(touch /tmp/x)', []],
  ] as const)
    assert.equal(
      await printed(host, { grep: word }),
      found.map((i) => `-blue ${said[i]}`),
      word,
    )
  assert.not.match((await host.run(logsScript('shop', query({ grep: '100' })))).calls.join('\n'), '100 %')
})

test('a bot with another name that begins the same has its own log', async () => {
  const host = hostWith({ 'botgarden-shop-two-blue': [`${at(1)} not ours`], 'botgarden-shop-blue': [`${at(2)} ours`] })
  await retire(host, 'botgarden-shop-two-blue')
  assert.equal(await printed(host), ['-blue ours'])
})

test('followed, each container has one follower, one that ends is followed again, and none is left over', async () => {
  // The third look ends it, as a connection does that is lost.
  const host = scratchHost({
    sleep: `echo >>"$STATE/looks"; /bin/sleep 0.3; [ "$(wc -l <"$STATE/looks")" -lt 3 ] || kill -TERM "$PPID"`,
  })
  const followed = `case "$*" in 'ps --format'*) ls "$STATE/said"; exit ;; esac
case "$*" in *--follow*)
  for word; do name=$word; done
  cat "$STATE/said/$name"
  [ "$name" != botgarden-shop-blue ] || exit 0
  exec /bin/sleep 60 ;;
esac`
  host.note('docker', `${followed}\n${docker}`)
  host.note('said/botgarden-shop-blue', `${at(1)} one\n`)
  host.note('said/botgarden-shop.worker-blue', `${at(2)} w\n`)
  host.note('said/botgarden-shop-cache', `${at(2)} no\n`)
  const begun = Date.now()
  const { code, output, calls } = await host.run(logsScript('shop', query({ follow: true })))
  assert.is(code, 0)
  assert.ok(Date.now() - begun < 30_000)
  const of = (name: string) => calls.filter((call) => call.includes('--follow') && call.endsWith(name)).length
  assert.is(of('botgarden-shop.worker-blue'), 1)
  assert.ok(of('botgarden-shop-blue') > 1)
  assert.match(output, /^following 20\S+Z$/m)
  assert.ok(output.split('\n').includes(`${at(2)} botgarden-shop.worker-blue w`))
  assert.equal(host.list('/run/botgarden/tmp'), [])
})

test('the heading has the processes with a log; its secrets are never shown from then on', async () => {
  const host = hostWith({ 'botgarden-shop-blue': [], 'botgarden-shop-cache': [] })
  const secrets = { token: '777000:AAbbccddeeffgghhiijjkkllmmnnooppqq', 'database-password': 'correct-horse-battery' }
  for (const [name, value] of Object.entries(secrets)) host.write(`/etc/botgarden/secrets/bots/shop/${name}`, value)
  host.write(`${kept}/botgarden-shop.old-worker.log`, `${at(1)} botgarden-shop.old-worker-green x\n`)
  const { output } = await host.run(headingScript('shop'))
  assert.equal(processesIn('shop', output), ['bot', 'old-worker'])
  for (const value of Object.values(secrets)) assert.not.match(shown(`it is ${value}.`), value)
  assert.is(
    thrown(() => processesIn('shop', 'Cannot connect to the Docker daemon'))?.message,
    'Cannot connect to the Docker daemon',
  )
})

test('a line that comes again is left out, and so is what has no time', () => {
  const line = (second: number, text: string, container = 'blue') => `${at(second)} botgarden-shop-${container} ${text}`
  const lines = read([
    'tail of an older line',
    line(1, 'a'),
    line(1, 'b'),
    `following ${at(2)}`,
    '',
    line(1, 'too early', 'green'),
    line(3, 'c'),
    line(2, 'later, by stderr'),
    line(3, 'c'),
    line(2, 'later, by stderr'),
    line(2, 'of another', 'green'),
    line(4, 'following 9'),
    line(5, 'd'),
  ])
  assert.equal(
    lines.map(({ text }) => text),
    ['a', 'b', 'c', 'later, by stderr', 'of another', 'following 9', 'd'],
  )
})

test('what the history has shown of a container is not shown again, and what it left out is not shown behind it', () => {
  const line = (second: number) => `${at(second)} botgarden-shop-blue ${second}`
  const lines = read([line(4), `following ${at(2)}`, line(2), line(3), line(4), line(5)])
  assert.equal(
    lines.map(({ text }) => text),
    ['4', '5'],
  )
})

test('a program can print what it likes: neither its escapes nor a token reach the terminal', () => {
  const evil =
    '\x1b[31mred\x1b[0m \x1b]0;title\x07 a\rb \x1b[2J 123456789:AAF_old-token-of-this-bot-0123456789 \u202e\r'
  const [line] = read([`${at(1)} botgarden-shop-blue ${evil}`])
  assert.is(shown(line?.text ?? ''), 'red \\u001b]0;title\\u0007 a\\u000db \\u001b[2J 123456789:*** \\u202e')
})

test('a line without an end does not fill the memory', () => {
  const lines: string[] = []
  const { take, end } = byLine((line) => lines.push(line))
  for (let i = 0; i < 300; i++) take(Buffer.from('x'.repeat(1024)))
  take(Buffer.from('x\nnext\nand'))
  end()
  assert.equal(
    lines.map((line) => line.slice(-4)),
    ['xxx…', 'next', 'and'],
  )
})

test('options', () => {
  const of = (own: Record<string, string>) =>
    logQueryOf(new Map(Object.entries(own).map(([name, value]) => [name, [value]])))
  assert.equal(of({}), { follow: false })
  assert.equal(of({ follow: '', since: '15m', grep: 'x', process: 'worker', lines: '7' }), {
    ...{ follow: true, since: 900, grep: 'x', process: 'worker', lines: 7 },
  })
  assert.equal(of({ since: '2026-11-20' }).since, '2026-11-20T00:00:00Z')
  assert.equal(of({ since: '2026-11-20T12:30' }).since, '2026-11-20T12:30:00Z')
  for (const since of ['1w', '0h', 'yesterday', '2026-13-01', '2026-11-20T25:00', '1h30m', "1h'"])
    assert.match(thrown(() => of({ since }))?.message, /^--since .*: should be like 90s/, since)
  for (const lines of ['0', '-1', 'all', '1e3', '12345678'])
    assert.match(thrown(() => of({ lines }))?.message, /^--lines: should be a whole number/, lines)
})

test.run()
