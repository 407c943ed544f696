// Needs a bare VPS of its own: `console`, and the sandbox's Telegram. What an operator sees of a bot and does in it: its log over
// releases, a console in its containers and its database, and the record of who changed what.
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventsFile, parseEvents } from '../../../lib/engine/events.ts'
import { quote } from '../../../lib/shell/sh.ts'
import { removeVps } from '../../../sandbox/index.ts'
import { type Run, resultOf, run, start } from '../../support/runner.ts'
import { botHost } from '../../support/vps/bot-host.ts'

const host = 'console'
const name = 'talker'
const source = resolve(import.meta.dirname, '../../support/console-bot')
const project = resolve(import.meta.dirname, '../../..')
const { bots, tokens, inventory, site, deploy, inside, begin } = botHost(host, [name])
delete bots['hello-bot']
const file = (version: number) => inventory({ [name]: { host, source, environment: { VERSION: String(version) } } })
const release = (version: number) => deploy(['--name', name], file(version))
const args = (...more: string[]) => ['playbooks/bot.ts', '-i', file(0), '--name', name, ...more]
/** bot.ts without the token of the bot: what is masked is known from the host alone. */
const bot = (...more: string[]) => run(args(...more))
const done = (result: Run) => assert.is(result.code, 0, `${result.stdout}${result.stderr}`)
const linesOf = (text: string) => text.split('\n').filter(Boolean)
const logs = async (...more: string[]) => {
  const result = await bot('--logs', ...more)
  done(result)
  return linesOf(result.stdout)
}

/** bot.ts with this standard input. */
function withInput(input: Uint8Array, ...more: string[]): Promise<{ code: number | null; out: Buffer; err: string }> {
  const child = spawn(process.execPath, [join(project, 'node_modules/zx/build/cli.js'), ...args(...more)], {
    cwd: project,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const [out, err]: [Buffer[], Buffer[]] = [[], []]
  child.stdout.on('data', (chunk) => out.push(chunk))
  child.stderr.on('data', (chunk) => err.push(chunk))
  child.stdin.end(input)
  return new Promise((settled) =>
    child.on('close', (code) => settled({ code, out: Buffer.concat(out), err: Buffer.concat(err).toString() })),
  )
}
const psql = async (sql: string) => {
  const { code, out, err } = await withInput(Buffer.from(sql), '--psql')
  return { code, out: out.toString(), err }
}

/** The numbers that a process of a version has said, in the order of the lines. */
const numbersOf = (lines: readonly string[], process: string, version: number) =>
  lines.flatMap((line) => new RegExp(` ${process} ${version} (\\d+)$`).exec(line)?.[1] ?? []).map(Number)
/** None is missing, none twice, none out of order, and of a version that is gone the last is there. */
const whole = (lines: readonly string[], process: string, version: number, isGone: boolean) => {
  const numbers = numbersOf(lines, process, version)
  const from = numbers[0] ?? 1
  assert.equal(
    numbers,
    numbers.map((_, i) => from + i),
    `${process} ${version}`,
  )
  if (isGone) assert.ok(lines.some((line) => line.endsWith(` ${process} ${version} ended after ${numbers.at(-1)}`)))
  return numbers
}

test.before(begin)
test.after(() => removeVps(host))

test('the log goes over three releases, in order and complete', async () => {
  for (const version of [1, 2, 3]) done(await release(version))
  const lines = await logs('--lines', '100000')
  for (const process of ['bot', 'worker'])
    for (const version of [1, 2, 3]) {
      assert.is(whole(lines, process, version, version < 3)[0], 1)
      assert.ok(
        lines.every((line) => !line.endsWith(` ${process} ${version} 1`) || line.includes(`Z  ${process.padEnd(6)}  `)),
      )
    }
  const times = lines.map((line) => line.slice(0, 24))
  assert.equal(times, [...times].sort())
  assert.is(await inside(`stat -c %a /var/lib/botgarden/bots/${name}/logs/botgarden-${name}.log`), '600')
})

test('a bot that prints its token does not show it', async () => {
  const { stdout, stderr } = await bot('--logs', '--lines', '100000')
  const token = tokens[`${name.toUpperCase()}_TOKEN`] ?? ''
  assert.ok(token.length > 20 && stdout.includes('bot 1 token '))
  assert.not(`${stdout}${stderr}`.includes(token.slice(token.indexOf(':') + 1)))
})

test('what a bot prints moves no cursor', async () => {
  const { stdout } = await bot('--logs', '--lines', '100000')
  assert.match(stdout, /bot 1 red \\u001b\]0;owned\\u0007\\u001b\[2J\\u001b\[1A over it\\u000dhidden\n/)
  assert.not(/[\p{Cc}--[\n]]/v.test(stdout))
  assert.match(stdout, 'a warning on stderr')
})

test('of it a process, a word, a time and a number of lines are chosen', async () => {
  assert.is((await logs()).length, 100)
  assert.is((await logs('--lines', '7')).length, 7)
  assert.ok((await logs('--process', 'worker', '--lines', '50')).every((line) => line.includes('Z  worker  worker 3 ')))
  const words = await logs('--grep', 'ended after', '--process', 'bot')
  assert.equal(
    words.map((line) => line.replace(/\d+$/, '').slice(34)),
    ['bot 1 ended after ', 'bot 2 ended after '],
  )
  const [last] = words.slice(-1)
  const since = await logs('--since', String(last?.slice(0, 19)), '--grep', 'ended')
  assert.ok(since.length > 0 && since.every((line) => line.includes(' 2 ended')), since.join('\n'))
  // All that is younger: more than is shown without a time.
  assert.ok((await logs('--since', '1h')).length > 100)
  const unknown = await bot('--logs', '--process', 'wroker')
  assert.is(unknown.code, 1)
  assert.match(unknown.stderr, 'no log of a process "wroker" (did you mean "worker"?): there is bot, worker')
})

test('followed, it goes on through a release and a crash, and leaves nothing on the host', async () => {
  const following = start(args('--logs', '--follow', '--lines', '1'))
  let text = ''
  const heard = (pattern: RegExp) =>
    new Promise<void>((settled, failed) => {
      const look = () => pattern.test(text) && settled()
      following.child.stdout?.on('data', look)
      look()
      void following.ended.then(({ stderr }) => failed(new Error(`it ended: ${stderr}`)))
    })
  following.child.stdout?.on('data', (chunk) => (text += chunk))
  await heard(/bot 3 \d+\n/)
  done(await release(4))
  await heard(/ worker 4 1\n/)
  await heard(/ bot 4 5\d\n/)
  const before = (text.match(/ bot 4 1\n/g) ?? []).length
  assert.is(before, 1)
  await inside(`docker ps --format '{{.Names}}' | grep -F '${name}.worker' | xargs docker restart`)
  await heard(/ worker 4 1\n[\s\S]* worker 4 1\n/)
  const lines = linesOf(text)
  for (const process of ['bot', 'worker']) whole(lines, process, 3, true)
  assert.is(whole(lines, 'bot', 4, false)[0], 1)
  assert.ok((await inside("pgrep -f '[d]ocker logs --follow' | wc -l")) !== '0')
  process.kill(-(following.child.pid ?? 0), 'SIGINT')
  assert.is((await following.ended).code, 130)
  const left = "pgrep -af '[d]ocker logs --follow'; ls -A /run/botgarden/tmp"
  for (let tries = 0; (await inside(left)) !== ''; tries++)
    if (tries > 50) throw new Error(await inside(`${left}; ps -ef`))
})

test('a command runs where the bot serves, with its exit code, its words and its input', async () => {
  const exec = (...command: string[]) => bot('--exec', '--', ...command)
  assert.match((await exec('node', '-p', 'process.env.VERSION')).stdout, /^4\n$/)
  for (const [script, code] of [
    ['exit 7', 7],
    ['exit 0', 0],
    ['exit 255', 254],
    ['kill -9 $$', 137],
  ] as const) {
    const ended = await exec('sh', '-c', script)
    assert.is(ended.code, code, ended.stderr)
    assert.is(ended.stderr.includes(`console: exit code ${code}`), code !== 0)
  }
  // Which of the two is a matter of the engine's version.
  assert.ok([126, 127].includes((await exec('no-such-program')).code ?? 0))
  const words = ['-i', "it's", '$(id)', 'a  b', '--check', 'é', '']
  assert.equal(
    JSON.parse((await exec('node', '-p', 'JSON.stringify(process.argv.slice(1))', ...['--', ...words])).stdout),
    words,
  )
  const input = randomBytes(1_000_000)
  const { code, out } = await withInput(input, '--exec', '--process', 'worker', '--', 'cat')
  assert.is(code, 0)
  assert.is(createHash('sha256').update(out).digest('hex'), createHash('sha256').update(input).digest('hex'))
  assert.is((await bot('--exec', '--process', 'nobody', '--', 'ls')).code, 1)
  const unreachable = await run(['playbooks/bot.ts', '-i', file(0), '--name', name, '--exec', '--check', '--', 'ls'])
  assert.is(unreachable.code, 1)
})

test('in a terminal it has one there too', async () => {
  const command = [process.execPath, join(project, 'node_modules/zx/build/cli.js'), ...args('--exec', '--', 'sh', '-c')]
  const inner = `test -t 0 && test -t 1 && echo "a terminal of $(stty size | wc -w)"; exit 5`
  const child = spawn('script', ['-qec', [...command, inner].map(quote).join(' '), '/dev/null'], { cwd: project })
  let text = ''
  child.stdout.on('data', (chunk) => (text += chunk))
  const code = await new Promise((settled) => child.on('close', settled))
  assert.match(text, 'a terminal of 2')
  assert.is(code, 5)
})

test('psql is the role of the bot in its database, and nothing more', async () => {
  const role = await psql('\\t\n\\a\nselect session_user, current_user, current_database();\n')
  assert.is(role.code, 0, role.err)
  assert.match(role.out, 'talker|talker|talker')
  for (const sql of [
    'set session authorization postgres;',
    'set role postgres;',
    '\\c postgres',
    "copy (select 1) to program 'id';",
    'create database other;',
    'select * from pg_authid;',
    'nonsense;',
  ]) {
    const { code, out, err } = await psql(`${sql}\nselect 'went on';\n`)
    assert.ok(code !== 0 && !out.includes('went on'), `${sql}: ${code} ${out}${err}`)
  }
  // A command of psql's has what the bot has, and nothing of the server.
  const shell = await psql('\\! id -u; ls /var/lib/postgresql; cat /run/secrets/token; cat /proc/net/dev | wc -l\n')
  assert.match(shell.out, /^2\d{4}$/m)
  assert.match(shell.err, '/run/secrets/token')
  await psql('create table kept (n int);\ninsert into kept select generate_series(1, 1000);\n')
  assert.match((await psql('\\t\nselect count(*) from kept;\n')).out, '1000')
  assert.is(await inside("docker ps --all --format '{{.Names}}' | grep psql || :"), '')
})

test('the host knows who changed what: of a run that changed nothing there is no word', async () => {
  const events = async () => parseEvents(await inside(`cat ${eventsFile}`))
  await inside(`rm ${eventsFile}`)
  await inside('rm /etc/docker/daemon.json')
  const first = await site(file(4))
  done(first)
  const second = await release(5)
  done(second)
  done(await release(5))
  done(await site(file(5)))
  done(await bot('--exec', '--', 'true', 'a-secret-word'))
  const third = await release(6)
  done(third)
  const found = await events()
  assert.equal(
    found.map(({ who }) => who.replace(/^.*, /, '')),
    ['site.ts', 'bot.ts', 'bot.ts', 'bot.ts'],
  )
  const ids = found.map(({ changes }) => [...new Set(changes.map(({ id }) => id))].sort())
  const changed = (result: Run) => [...resultOf(result, host).ids].sort()
  assert.ok(changed(first).length > 0 && ids[0]?.every((id) => changed(first).includes(id)), String(ids[0]))
  assert.ok(ids[1]?.includes(`release:${name}`) && ids[1].every((id) => changed(second).includes(id)), String(ids[1]))
  assert.equal(ids[2], [`exec:${name}`])
  assert.ok(ids[3]?.includes(`release:${name}`) && ids[3].every((id) => changed(third).includes(id)), String(ids[3]))
  assert.not.match(await inside(`cat ${eventsFile}`), 'a-secret-word')
  assert.is(await inside(`stat -c '%a %U' ${eventsFile}`), '600 root')
})

test('a bot that is removed leaves no log', async () => {
  done(await deploy(['--name', name, '--remove', '--purge', '--yes'], file(6)))
  assert.is(await inside(`find / -xdev -name '*${name}*' -path '*log*' 2>/dev/null || :`), '')
  const none = await bot('--logs')
  assert.is(none.code, 1)
  assert.match(none.stderr, `${name} has no log on ${host}: it was never released there`)
})

test.run()
