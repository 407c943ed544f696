// Needs a bare VPS of its own: `trouble`, the sandbox's certificate authority and its Telegram. A host in trouble: what a check and
// a run say then, that the bot serves on and nothing is lost, and that one run mends it when the trouble is over.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { quote } from '../../lib/shell/sh.ts'
import { freshVps, removeVps, telegramControlUrl } from '../../sandbox/index.ts'
import { type TelegramClient, telegramAt } from '../../sandbox/telegram/client.ts'
import { inventoryOf, resultOf, run, start } from '../support/runner.ts'
import { endedIn } from '../support/vps/inside.ts'

const host = 'trouble'
const source = resolve(import.meta.dirname, '../../bots/hello-bot')
const folder = mkdtempSync(join(tmpdir(), 'trouble-test-'))
const key = join(folder, 'key.txt')
const identity = await generateIdentity()
const recipients = [await identityToRecipient(identity)]
const name = `trouble-${process.pid}`
const vars = {
  bot: { telegram: 'http://telegram.sandbox:8081', settle: 2, drain: 2 },
  nginx: { telegram: ['10.212.0.0/16'] },
  certbot: { server: 'https://pebble.sandbox:14000/dir', authority: '.sandbox/acme-ca.pem' },
  backups: { recipients, local: join(folder, 'copies'), minFree: 1 },
}
const env: Record<string, string> = {}
let telegram: TelegramClient
let chat = 1
/** What the next release changes. */
let version = 0

const inside = endedIn(host)
const inventory = (more: object = {}) =>
  inventoryOf(host, vars, {
    hosts: { [host]: { domain: `${host}.sandbox` } },
    bots: { 'hello-bot': { host, source, environment: { VERSION: version }, ...more } },
  })
let now = ''
const play = async (playbook: string, ...args: string[]) => {
  const { code, stdout, stderr } = await run([`playbooks/${playbook}.ts`, '-i', now, ...args], env)
  return { code, said: `${stdout}${stderr}` }
}
type Args = [playbook: string, ...args: string[]]
const release: Args = ['bot', '--name', 'hello-bot']
const restore: Args = ['restore', '--name', 'hello-bot', '--identity', key, '--yes']

const serving = async () => (await inside('docker ps -q --no-trunc --filter label=botgarden.bot=hello-bot')).stdout
const ledger = async () =>
  (
    await inside(
      `docker exec botgarden-postgres psql -XqAtU postgres hello_bot -c "select md5(string_agg(t::text, ',' order by id)) from ledger t"`,
    )
  ).stdout
async function greeted(): Promise<string> {
  const own = chat++
  await telegram.act(name, { chat: own, text: '/start', language: 'en' })
  for (let after = 0, tries = 0; tries < 30; tries++)
    for (const entry of await telegram.chat(name, own, { after, wait: 1 })) {
      after = entry.seq
      if (entry.from === 'bot') return entry.text
    }
  return 'no answer'
}

/** A folder on a disk of its own that has no room, or no inode, left. */
const mounted = (path: string, options: string) =>
  `f=${path}; mkdir -p $f && rm -rf /root/before && cp -a $f /root/before && mount -t tmpfs -o mode=$(stat -c %a $f),uid=$(stat -c %u $f),gid=$(stat -c %g $f),${options} none $f && cp -a /root/before/. $f/`
const full = (path: string) => `${mounted(path, 'size=2m')}; head -c 4M /dev/zero >$f/fill 2>/dev/null; true`
const withoutInodes = (path: string) => mounted(path, 'nr_inodes=$(($(find $f | wc -l) + 0))')

type Said = readonly [code: number, said: RegExp]

interface Trouble {
  readonly begin: string
  readonly end: string
  /** What is run in it; with --check before. */
  readonly args: Args
  readonly check?: Said
  readonly run: Said
  /** What mends it; left out: the same once more. */
  readonly mends?: Args
  /** And after that. */
  readonly later?: Args
  /** The bot is another container afterwards, or gone meanwhile. */
  readonly restarts?: boolean
  readonly more?: object
}

async function meets(
  what: string,
  { begin, end, args, check, run: ran, mends = args, later, restarts, more }: Trouble,
) {
  version++
  now = inventory(more)
  const [before, rows] = [await serving(), await ledger()]
  assert.match(rows, /^[0-9a-f]{32}$/)
  const began = await inside(begin)
  assert.is(began.status, 0, began.all)
  const told: string[] = []
  try {
    if (check) {
      const checked = await play(...args, '--check')
      assert.is(checked.code, check[0], checked.said)
      assert.match(checked.said, check[1], checked.said)
      told.push(excerpt(checked.said, check[1]))
    }
    const result = await play(...args)
    assert.is(result.code, ran[0], result.said)
    assert.match(result.said, ran[1], result.said)
    told.push(excerpt(result.said, ran[1]))
    // Docker, stopped, says nothing of it.
    if (!restarts) assert.ok([before, ''].includes(await serving()), 'the same container serves')
  } finally {
    await inside(end)
  }
  for (const each of [mends, ...(later === undefined ? [] : [later])]) {
    const mended = await play(...each)
    assert.is(mended.code, 0, mended.said)
  }
  // A run of its own that released anything says so.
  if (!restarts && mends[0] === 'site') assert.is(await serving(), before)
  const again = resultOf(await run(['playbooks/site.ts', '-i', now, '--json'], env), host)
  assert.equal([again.error, again.ids], [undefined, []], JSON.stringify(again))
  assert.is(await ledger(), rows)
  assert.match(await greeted(), /^Hello/)
  process.stdout.write(
    `| ${what} | ${[...new Set(told)].join('; ')} | ${[mends, later ?? []]
      .map(([first, ...more]) => [first, ...more.filter((word) => !word.includes('/'))].join(' '))
      .filter(Boolean)
      .join(', then ')} mends it |\n`,
  )
}

function excerpt(said: string, what: RegExp): string {
  const [found = ''] = what.exec(said) ?? []
  return found.replace(/\s+/g, ' ').replaceAll('|', '\\|').slice(0, 200)
}

test.before(async () => {
  writeFileSync(key, `${identity}\n`, { mode: 0o600 })
  await freshVps(host)
  telegram = telegramAt(await telegramControlUrl())
  env.HELLO_BOT_TOKEN = (await telegram.ensureBot(name)).token
  now = inventory()
  for (const args of [['site'], release] satisfies Args[]) {
    const { code, said } = await play(...args)
    if (code !== 0) throw new Error(said)
  }
  await inside(
    `printf 'set role hello_bot; create table ledger as select n as id, md5(n::text) from generate_series(1, 1000) n' | docker exec -i botgarden-postgres psql -XqU postgres hello_bot`,
  )
  assert.is((await play('backup')).code, 0)
})
test.after(async () => {
  rmSync(folder, { recursive: true })
  await removeVps(host)
})

const state = '/var/lib/botgarden/bots/hello-bot'
const noSpace = /No space left on device|is its disk full\? See df -h and df -i \S+ there/i
for (const [place, path] of [
  ['of releases', state],
  ['of compose files', '/opt/botgarden/bots/hello-bot'],
  ['of nginx', '/opt/botgarden/nginx'],
] as const)
  for (const [kind, make] of [
    ['full', full],
    ['out of inodes', withoutInodes],
  ] as const) {
    const what = `the disk ${place} is ${kind} during a release`
    test(what, () =>
      meets(what, {
        begin: make(path),
        end: `umount ${path}`,
        args: release,
        check: [2, /would change/],
        run: [3, noSpace],
      }),
    )
  }

for (const [kind, make] of [
  ['full', full],
  ['out of inodes', withoutInodes],
] as const) {
  const backup = `the disk of backups is ${kind} during a backup`
  test(backup, () =>
    meets(backup, {
      begin: make('/var/lib/botgarden/backups'),
      end: 'umount /var/lib/botgarden/backups',
      args: ['backup'],
      run: [3, /no space left on device|too full to begin|cannot create|has room for/i],
    }),
  )
  for (const path of ['/var/lib/botgarden/incoming', '/var/lib/botgarden/dumps']) {
    const restoring = `${path} is ${kind} during a restore`
    test(restoring, () =>
      meets(restoring, { begin: make(path), end: `umount ${path}`, args: restore, run: [3, noSpace], restarts: true }),
    )
  }
}

test('/tmp cannot be written to', () =>
  meets('/tmp cannot be written to', {
    begin: 'mount -t tmpfs -o ro none /tmp',
    end: 'umount /tmp',
    args: release,
    check: [3, /read-only file system.*see df -h \/run \/tmp on the host/s],
    run: [3, /read-only file system.*see df -h \/run \/tmp on the host/s],
  }))

test('/run is full', () =>
  meets('/run is full', {
    begin: 'mount -o remount,size=8m /run; head -c 16M /dev/zero >/run/fill 2>/dev/null; true',
    end: 'rm -f /run/fill; mount -o remount,size=25% /run',
    args: release,
    // Docker itself starts nothing then.
    check: [3, /\/run has no room.*see df -h \/run \/tmp on the host/s],
    run: [3, /\/run has no room.*see df -h \/run \/tmp on the host/s],
  }))

test('Docker is stopped', () =>
  meets('Docker is stopped', {
    begin: 'systemctl stop docker.socket docker.service',
    end: ':',
    args: release,
    check: [3, /Docker does not answer: site.ts starts it/],
    run: [3, /Docker does not answer: site.ts starts it/],
    mends: ['site'],
  }))

test('Docker is stopped in the middle of a release', async () => {
  version++
  now = inventory()
  const [before, rows] = [await serving(), await ledger()]
  const { ended, seen } = start(['playbooks/bot.ts', '-i', now, '--name', 'hello-bot'], env)
  assert.ok(await seen(/▸ release:hello-bot/))
  await inside(
    'until [ "$(docker ps -q --filter label=botgarden.bot | wc -l)" = 2 ]; do sleep 0.1; done; systemctl stop docker.socket docker.service',
  )
  const { code, stdout, stderr } = await ended
  assert.is(code, 3, stdout + stderr)
  // By the command that it was stopped in.
  assert.match(stdout + stderr, /Cannot connect to the Docker daemon|error during connect|docker\.sock|EOF/)
  const mended = await play('site')
  assert.is(mended.code, 0, mended.said)
  assert.is(await serving(), before)
  assert.is(await ledger(), rows)
  assert.match(await greeted(), /^Hello/)
  assert.is((await play(...release)).code, 0)
  assert.is(resultOf(await run(['playbooks/site.ts', '-i', now, '--json'], env), host).changed, 0)
  process.stdout.write(
    '| Docker is stopped in the middle of a release | its own words; the old one serves | site mends it |\n',
  )
})

for (const [what, kill] of [
  ['killed', 'kill -9 $(docker inspect -f "{{.State.Pid}}" botgarden-postgres)'],
  ['stopped by hand', 'docker kill botgarden-postgres'],
] as const)
  test(`the database server is ${what} in a migration`, async () => {
    const slow = join(folder, `slow-${what.split(' ')[0]}`)
    cpSync(source, slow, { recursive: true, filter: (path) => !path.includes('node_modules') })
    writeFileSync(
      join(slow, `migrations/2099-01-0${version % 9}-slow.ts`),
      `import { sql } from 'kysely'\nexport async function up(db) { await sql\`create table half (x int)\`.execute(db); await sql\`select pg_sleep(25)\`.execute(db) }\nexport async function down() {}`,
    )
    now = inventory({ source: slow })
    const [before, rows] = [await serving(), await ledger()]
    const { ended } = start(['playbooks/bot.ts', '-i', now, '--name', 'hello-bot'], env)
    await inside(
      `until docker exec botgarden-postgres psql -XqAtU postgres -c "select 1 from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid()" | grep -q 1; do sleep 0.2; done; ${kill}`,
    )
    const { code, stdout, stderr } = await ended
    assert.is(code, 3, stdout + stderr)
    assert.match(stdout + stderr, /the migration failed/)
    now = inventory()
    const mended = await play('site')
    assert.is(mended.code, 0, mended.said)
    assert.is(await serving(), before)
    assert.is(await ledger(), rows)
    assert.match(await greeted(), /^Hello/)
    assert.is(resultOf(await run(['playbooks/site.ts', '-i', now, '--json'], env), host).changed, 0)
    process.stdout.write(`| the database server is ${what} in a migration | the migration failed | site mends it |\n`)
  })

test('docker system prune while the bot serves', () =>
  meets('docker system prune while the bot serves', {
    begin: 'docker system prune -af >/dev/null',
    end: ':',
    args: ['site'],
    check: [0, /would change 0/],
    run: [0, /changed 0/],
  }))

test('docker system prune while the bot is stopped', () =>
  meets('docker system prune while the bot is stopped', {
    begin: 'docker stop $(docker ps -q --filter label=botgarden.bot) >/dev/null && docker system prune -af >/dev/null',
    end: ':',
    args: ['site'],
    check: [2, /release:hello-bot: restart, since its container is gone/],
    run: [
      3,
      /the image of hello-bot is no longer on this host: deploy it again: npx zx playbooks\/bot.ts --name hello-bot/,
    ],
    mends: release,
    restarts: true,
  }))

test('docker system prune while everything is stopped', () =>
  meets('docker system prune while everything is stopped', {
    begin: 'docker stop $(docker ps -q) >/dev/null && docker system prune -af >/dev/null',
    end: ':',
    args: release,
    check: [3, /database server does not run.*site.ts/],
    run: [3, /database server does not run.*site.ts/],
    mends: ['site', '--tags', 'docker,postgres,nginx'],
    later: release,
    restarts: true,
  }))

for (const [what, begin] of [
  ['deleted', 'rm /var/lib/botgarden/allocations'],
  ['emptied', ': >/var/lib/botgarden/allocations'],
  ['torn', 'printf "hello-bo" >/var/lib/botgarden/allocations'],
  ['wrong', 'printf "hello-bot 9\\nother 1\\n" >/var/lib/botgarden/allocations'],
] as const)
  test(`the list of the bots' numbers is ${what}`, () =>
    meets(`the list of the bots' numbers is ${what}`, {
      begin,
      end: ':',
      args: ['site'],
      check: [2, /allocation:hello-bot: network 10.210.1.0\/24, user 20001, taken from its Docker network/],
      run: [0, /changed 1/],
    }))

test('what the host knows of its bots is deleted', async () => {
  const colour = async () => (await inside("docker ps --format '{{.Names}}' --filter label=botgarden.bot")).stdout
  const before = await colour()
  const gone = /current\.json: it is missing, .*release it again: npx zx playbooks\/bot\.ts --name hello-bot/
  await meets('what the host knows of its bots is deleted', {
    begin: 'rm -r /var/lib/botgarden/bots',
    end: ':',
    args: ['site'],
    check: [3, gone],
    run: [3, gone],
    mends: release,
    restarts: true,
  })
  assert.is.not(await colour(), before, 'the release took its place beside what served')
})

test('the record of the release that serves is deleted', () =>
  meets('the record of the release that serves is deleted', {
    begin: `rm ${state}/current.json`,
    end: ':',
    args: ['site'],
    check: [2, /record:hello-bot: recover current\.json, since it is missing/],
    run: [0, /changed 1/],
  }))

for (const container of ['postgres', 'nginx'])
  test(`the compose file of ${container} is edited by hand, and brought up`, async () => {
    const file = `/opt/botgarden/${container}/compose.yaml`
    await meets(`the compose file of ${container} is edited by hand, and brought up`, {
      begin: `sed -i 's/read_only: true$/read_only: false/; s/no-new-privileges:true/label:disable/' ${file}; docker compose -f ${file} up -d --wait 2>&1`,
      end: ':',
      args: ['site'],
      check: [2, new RegExp(`container:botgarden-${container}: recreate`)],
      run: [0, /changed [23]/],
      // Its migrations are the same, and so is it: only what it stands on was replaced.
    })
    assert.is(
      (await inside(`docker inspect -f '{{.HostConfig.ReadonlyRootfs}}' botgarden-${container}`)).stdout,
      'true',
    )
  })

test('the compose file of the bot is edited by hand', () =>
  meets('the compose file of the bot is edited by hand', {
    begin: `echo 'nonsense: [' >>$(ls /opt/botgarden/bots/hello-bot/*.yaml | head -n 1)`,
    end: `sed -i '$d' $(ls /opt/botgarden/bots/hello-bot/*.yaml | head -n 1)`,
    // Nothing is made from it but by a run, which writes it before.
    args: ['site'],
    check: [0, /would change 0/],
    run: [0, /changed 0/],
  }))

test('the compose file of the bot is edited by hand, and brought up', async () => {
  const file =
    '$(docker inspect -f \'{{index .Config.Labels "com.docker.compose.project.config_files"}}\' $(docker ps -q --filter label=botgarden.bot))'
  await meets('the compose file of the bot is edited by hand, and brought up', {
    begin: `f=${file}; sed -i 's/read_only: true$/read_only: false/; s/no-new-privileges:true/label:disable/' $f; docker compose -f $f up -d --wait 2>&1`,
    end: ':',
    args: ['site'],
    check: [2, /release:hello-bot: set the restart policy to always/],
    run: [0, /changed 1/],
    restarts: true,
  })
  assert.is((await inside(`docker inspect -f '{{.HostConfig.ReadonlyRootfs}}' ${await serving()}`)).stdout, 'true')
})

const strange = 'docker run -d --name stranger'
const sleeping = '--entrypoint sleep postgres:18.6 600 >/dev/null'
test('a container of somebody else has the address of the next version', () =>
  meets('a container of somebody else has the address of the next version', {
    begin: `here=$(docker inspect -f '{{(index .NetworkSettings.Networks "botgarden-hello-bot").IPAddress}}' $(docker ps -q --filter label=botgarden.bot)); case $here in *.2) other=10.210.1.3 ;; *) other=10.210.1.2 ;; esac; ${strange} --network botgarden-hello-bot --ip $other ${sleeping}`,
    end: 'docker rm -f stranger',
    args: release,
    check: [2, /would change/],
    run: [3, /10\.210\.1\.[23].*stranger|stranger.*10\.210\.1\.[23]/],
  }))

test('a network of somebody else is where the next bot would be', async () => {
  assert.is((await inside('docker network create --subnet 10.210.2.0/24 theirs')).status, 0)
  now = inventory()
  const second = inventoryOf(host, vars, {
    hosts: { [host]: { domain: `${host}.sandbox` } },
    bots: { 'hello-bot': { host, source, environment: { VERSION: version } }, 'next-bot': { host, source } },
  })
  const token = (await telegram.ensureBot(`${name}-next`)).token
  const { code, stdout, stderr } = await run(['playbooks/bot.ts', '-i', second, '--name', 'next-bot'], {
    ...env,
    NEXT_BOT_TOKEN: token,
  })
  assert.is(code, 0, stdout + stderr)
  assert.match(stdout + stderr, '10.210.3.0/24')
  const gone = await run(['playbooks/bot.ts', '-i', second, '--name', 'next-bot', '--remove', '--yes'], env)
  assert.is(gone.code, 0, gone.stdout + gone.stderr)
  await inside(`docker network rm ${quote('theirs')}`)
  process.stdout.write(
    '| a network of somebody else in 10.210.2.0/24 | the next bot gets 10.210.3.0/24 | nothing to mend |\n',
  )
})

test.run()
