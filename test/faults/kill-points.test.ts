// Needs a VPS of its own: `points`, the sandbox's certificate authority and its Telegram. Everything that changes a host is
// killed between two of its commands, on the host and beside the operator: the next run heals, and nothing is lost.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { removeVps } from '../../sandbox/index.ts'
import { waitUntil } from '../../sandbox/machine/process.ts'
import { type Run, resultOf, start } from '../support/runner.ts'
import { botHost } from '../support/vps/bot-host.ts'
import {
  installKillPoints,
  killPointCalls,
  killPointReached,
  passKillPoint,
  setKillPoint,
  type Victim,
} from '../support/vps/kill-points.ts'
import { leftovers } from '../support/vps/leftovers.ts'

const host = 'points'
const folder = mkdtempSync(join(tmpdir(), 'kill-points-'))
const key = join(folder, 'key.txt')
const source = resolve(import.meta.dirname, '../../bots/hello-bot')
const { inventory, tokens, inside, answer, begin } = botHost(host, ['hello-bot'])
let recipient = ''
let version = 1
/** Lines of the table in RESULTS.md. */
const rows: string[] = []

/** The inventory of now: each number is another version of the bot. */
function inventoryNow(more: object = {}): string {
  const entry = {
    domain: `${host}.sandbox`,
    backups: { recipients: [recipient], local: join(folder, 'copies') },
    ...more,
  }
  return inventory({ 'hello-bot': { host, source, environment: { VERSION: version } } }, entry, { settle: 2, drain: 2 })
}

const command = (playbook: string, args: readonly string[] = [], more: object = {}) => [
  ...[`playbooks/${playbook}.ts`, '-i', inventoryNow(more), '--wait', '--json', ...args],
]
const completed = (args: readonly string[]): Promise<Run> => start(args, tokens).ended
const sum = () =>
  inside(
    `docker exec botgarden-postgres psql -XqAtU postgres hello_bot -c 'select md5(string_agg(t::text, chr(10) order by id)) from ledger t'`,
  )
const fill =
  'set role hello_bot; create table if not exists ledger (id int primary key, words text); insert into ledger select n, md5(n::text) from generate_series(1, 5000) n on conflict do nothing'

test.before(async () => {
  const identity = await generateIdentity()
  recipient = await identityToRecipient(identity)
  writeFileSync(key, `${identity}\n`, { mode: 0o600 })
  await begin()
  for (const args of [command('site', [], changedSite()), command('bot', ['--name', 'hello-bot'])]) {
    const { code, stdout, stderr } = await completed(args)
    assert.is(code, 0, stdout + stderr)
  }
  await refill()
  const taken = await completed(command('backup'))
  assert.is(taken.code, 0, taken.stdout + taken.stderr)
  await installKillPoints(host)
})
test.after(async () => {
  rmSync(folder, { recursive: true })
  process.stdout.write(`${rows.join('\n')}\n`)
  await removeVps(host)
})

const refill = () => inside(`printf %s "${fill}" | docker exec -i botgarden-postgres psql -XqU postgres hello_bot`)

interface Operation {
  readonly name: string
  /** What is killed, and what is run again to finish it. */
  readonly run: () => readonly string[]
  /** How many points, evenly over its commands; the host and the runner are killed in turns. */
  readonly points: number
  /** What is done when the next run is over, before the host is looked at. */
  readonly after?: () => Promise<unknown>
  /** Brings the host to where the operation begins. */
  readonly before?: () => Promise<unknown>
  /** The bot is there afterwards. */
  readonly stays?: boolean
  /** What the same command says where the killed one had come so far that nothing is left to do. */
  readonly isDone?: RegExp
}

const deployed = async () => {
  const { code, stdout, stderr } = await completed(command('bot', ['--name', 'hello-bot', '--new']))
  assert.is(code, 0, stdout + stderr)
  await refill()
}
const dropBeside = () =>
  inside(`docker exec botgarden-postgres psql -XqU postgres -c 'drop database if exists hello_old'`)
let sharedBuffers = 96

const operations: readonly Operation[] = [
  {
    name: 'release',
    before: async () => void version++,
    run: () => command('bot', ['--name', 'hello-bot']),
    points: 8,
  },
  {
    name: 'rollback',
    before: async () => {
      version++
      await deployed()
    },
    run: () => command('bot', ['--name', 'hello-bot', '--rollback-to', previous]),
    points: 6,
  },
  // What a killed one has left in memory, the next one removes.
  { name: 'backup', run: () => command('backup'), points: 8, after: () => completed(command('backup')) },
  {
    name: 'restore',
    run: () => command('restore', ['--name', 'hello-bot', '--identity', key, '--yes']),
    points: 14,
  },
  {
    name: 'restore beside',
    before: dropBeside,
    after: dropBeside,
    run: () => command('restore', ['--name', 'hello-bot', '--as', 'hello_old', '--identity', key, '--yes']),
    points: 4,
    // It is renamed as a whole, when it is complete.
    isDone: /the database hello_old already exists/,
  },
  { name: 'drill', run: () => command('restore', ['--drill', '--identity', key]), points: 4 },
  {
    name: 'update of site.ts',
    before: async () => {
      sharedBuffers = sharedBuffers === 96 ? 112 : 96
    },
    run: () => command('site', [], changedSite()),
    points: 6,
  },
  {
    name: 'remove',
    before: deployed,
    run: () => command('bot', ['--name', 'hello-bot', '--remove', '--yes']),
    points: 6,
    stays: false,
  },
]

/** One setting that only a restart brings into force, one that a reload does, and one of nginx's. */
function changedSite(): object {
  return {
    postgres: { settings: { shared_buffers: `${sharedBuffers}MB`, work_mem: `${sharedBuffers / 16}MB` } },
    nginx: { telegram: ['10.212.0.0/16', `10.${sharedBuffers}.0.0/16`] },
  }
}
let previous = ''

for (const operation of operations)
  test(`${operation.name}, killed between its commands: the next run heals, and nothing is lost`, () =>
    campaign(operation))

async function campaign(operation: Operation): Promise<void> {
  await begun(operation)
  await setKillPoint(host, -1, 'host')
  const whole = await completed(operation.run())
  const calls = await killPointCalls(host)
  assert.is(whole.code, 0, whole.stdout + whole.stderr)
  assert.ok(calls.length >= operation.points, `${operation.name}: ${calls.length} calls are counted`)
  for (let i = 0; i < operation.points; i++) {
    const at = 1 + Math.floor((i * calls.length) / operation.points)
    const victim: Victim = i % 2 === 0 ? 'host' : 'runner'
    await killedAt(operation, at, victim, calls[at - 1] ?? '')
  }
}

async function begun({ before }: Operation): Promise<void> {
  previous = JSON.parse(await inside('cat /var/lib/botgarden/bots/hello-bot/current.json 2>/dev/null || echo "{}"')).id
  await before?.()
}

async function killedAt(operation: Operation, at: number, victim: Victim, call: string): Promise<void> {
  await begun(operation)
  const where = `${operation.name}, ${victim} killed at ${call}`
  const hadSum = await sum()
  await setKillPoint(host, at, victim)
  const { ended, kill } = start(operation.run(), tokens)
  const reached = await killPointReached(host, 120)
  assert.ok(reached, `${where}: was not reached`)
  if (victim === 'runner') kill()
  await passKillPoint(host)
  const { code, stdout, stderr } = await ended
  if (victim === 'host') assert.ok(code === 3 || code === 4 || code === 0, `${where}: code ${code}\n${stdout}${stderr}`)
  await killPointCalls(host)
  // A step that was begun ends. A run that finds nothing to change does not wait for that.
  assert.ok(
    await waitUntil(60, async () => !/ active /.test((await leftovers(host)).join('\n'))),
    `${where}: the step does not end`,
  )
  // By whichever comes first: the same again, or the host's own playbook.
  const next = await completed(at % 4 < 2 ? operation.run() : command('site', [], changedSite()))
  const isDone = next.code === 3 && (operation.isDone?.test(next.stdout) ?? false)
  assert.ok(next.code === 0 || isDone, `${where}: the next run\n${next.stdout}${next.stderr}`)
  if (operation.stays === false) {
    const last = await completed(operation.run())
    assert.is(last.code, 0, `${where}: and once more\n${last.stdout}${last.stderr}`)
    assert.is(await inside('docker ps -aq --filter label=botgarden.bot=hello-bot | wc -l'), '0', where)
    assert.match(await inside('ls /var/lib/botgarden/removed'), /^hello-bot-.*\.dump$/m, where)
  } else {
    await waitUntil(30, async () => (await sum()) === hadSum)
    assert.is(await sum(), hadSum, `${where}: the data`)
    assert.match(await answer('/start'), /^(Hello|Welcome)/, where)
  }
  await operation.after?.()
  const site = resultOf(await completed(command('site', [], changedSite())), host)
  assert.equal([site.error, site.changed, site.unknown], [undefined, 0, 0], `${where}: ${site.ids}`)
  assert.equal(await left(), [], `${where}: what is left`)
  rows.push(`| ${operation.name} | ${victim} | ${at}: ${call.replace(/^\d+ /, '')} | healed |`)
}

/** Everything that a cut procedure must not leave once the next run is over. */
async function left(): Promise<string[]> {
  const more = await inside(
    `find /var/lib/botgarden /etc/botgarden /opt/botgarden \\( -name '*.new' -o -name '.partial-*' -o -name '*.counts' -o -name '*.wanted' \\)
     find /var/lib/botgarden/incoming -type f 2>/dev/null
     ls -d /run/botgarden-* 2>/dev/null
     docker ps -a --format '{{.Names}} {{.Status}}' | grep -v ' Up \\|^botgarden-hello-bot-[a-z]* Up'
     docker volume ls -q --filter dangling=true
     docker exec botgarden-postgres psql -XqAtU postgres -c "select 'database ' || datname from pg_database where datname ~ '-' union all select 'role ' || rolname from pg_roles where rolname ~ '-'"`,
  )
  return [...(await leftovers(host)), ...more.split('\n').filter(Boolean)]
}

test.run()
