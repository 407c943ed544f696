// Needs two bare VPSs of their own: `update-one` and `update-two`, the sandbox's certificate authority and its Telegram, and an image of
// PostgreSQL 17. Two hosts are updated in one run, of which one has a disk without room.
import { resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { removeVps } from '../../../sandbox/index.ts'
import { inventoryOf, resultOf, run, start } from '../../support/runner.ts'
import { botHost, vars } from '../../support/vps/bot-host.ts'
import { difference } from '../../support/vps/snapshot.ts'

const [one, two] = [botHost('update-one', ['first']), botHost('update-two', ['second', 'admin'])]
const hosts = ['update-one', 'update-two'] as const
const [first, second] = hosts
const source = resolve(import.meta.dirname, '../../../bots/hello-bot')
const each = [
  { there: one, host: first, bot: 'first', more: {} },
  { there: two, host: second, bot: 'second', more: { database: { tcp: true } } },
] as const
const watch = { chat: 4711, token: { env: 'ADMIN_TOKEN' } }
const inventory = (server: object) =>
  inventoryOf(
    first,
    { ...vars, ...server },
    {
      hosts: { [first]: { domain: `${first}.sandbox` }, [second]: { domain: `${second}.sandbox`, watch } },
      bots: Object.fromEntries(each.map(({ bot, host, more }) => [bot, { host, source, ...more }])),
    },
  )
const image = 'postgres:17.6'
const before = inventory({ postgres: { image } })
const after = inventory({})
const tokens: Record<string, string> = {}
const args = (file: string) => ['playbooks/update.ts', '-i', file, '--json']
const update = (file: string, ...flags: string[]) => run([...args(file), ...flags], tokens)
const inEach = (command: string) => Promise.all(each.map(({ there }) => there.inside(command)))
const versions = () =>
  inEach("docker exec botgarden-postgres psql -XqAtU postgres -c 'show server_version' | cut -d . -f 1")
const folder = '/var/lib/botgarden/postgres'
const folders = () => inEach(`ls ${folder}`)
const answers = async () => {
  for (const { there, bot } of each) assert.match(await there.answer('/start', bot), 'Hello', bot)
}

/** What an update changes: files of ours and of the system but for those in a cluster, packages, containers, passwords of roles. */
const state = async () => (await inEach(stated)).map((text) => text.split('\n'))
const stated = `find /etc /opt /usr/bin /usr/lib/systemd /var/lib/botgarden /run/botgarden -not -path '${folder}/*/docker/*' -not -path '/var/lib/botgarden/watch*' -not -path '/run/botgarden/watch*' -printf '%p %y %m %u:%g %s %T@\n' | sort; dpkg-query -W; docker images -q; docker ps -aq | xargs docker inspect -f '{{.Name}} {{.Id}} {{.State.StartedAt}}'; docker exec botgarden-postgres psql -XqAtU postgres -c 'select rolname, rolpassword from pg_authid'`

const differences = (was: string[][], now: string[][]) => was.map((lines, i) => difference(lines, now[i] ?? []))

/** A disk of its own under the clusters: a full one of the VPS would be one of this machine. */
const disk = (size: string) =>
  two.inside(
    `docker stop botgarden-postgres; cp -a ${folder} /root/clusters; mount -t tmpfs -o mode=$(stat -c %a ${folder}),uid=$(stat -c %u ${folder}),gid=$(stat -c %g ${folder}),size=${size} none ${folder}; cp -a /root/clusters/. ${folder}; rm -rf /root/clusters; docker start botgarden-postgres; until docker exec botgarden-postgres pg_isready -q; do sleep 0.2; done`,
  )
const room = (size: string) => two.inside(`mount -o remount,size=${size} ${folder}`)

test.before(async () => {
  for (const { there, host, bot, more } of each) {
    delete there.bots['hello-bot']
    there.bots[bot] = { host, source, ...more }
    const entry = { domain: `${host}.sandbox`, postgres: { image } }
    await there.beginWith({ standIns: ['postgres17'], file: there.inventory({}, entry) })
    Object.assign(tokens, there.tokens)
  }
  // A bot cannot begin a chat.
  await two.telegram().act(two.called('admin'), { chat: watch.chat, text: '/start', language: 'en' })
  const site = await run(['playbooks/site.ts', '-i', before, '--json'], tokens)
  assert.is(site.code, 0, site.stdout + site.stderr)
  const deployed = await run(['playbooks/bot.ts', '-i', before, '--json', '--all'], tokens)
  assert.is(deployed.code, 0, deployed.stdout + deployed.stderr)
  await answers()
})
test.after(async () => {
  for (const host of hosts) await removeVps(host)
})

const refused = /the move needs \d+ MiB of disk, and \d+ MiB are free: nothing was changed/

test('a check of packages, a move and a rotation tells of both hosts, and changes nothing on either', async () => {
  const was = await state()
  const packages = await update(before, '--check')
  assert.ok(packages.code === 0 || packages.code === 2, packages.stdout + packages.stderr)
  for (const [flag, id] of [
    ['--postgres', 'postgres:version'],
    ['--rotate', 'renewed-secrets:postgres'],
  ] as const) {
    const checked = await update(flag === '--postgres' ? after : before, flag, '--check')
    assert.is(checked.code, 2, checked.stdout + checked.stderr)
    for (const host of hosts) assert.ok(resultOf(checked, host).ids.includes(id), `${host} ${id}`)
  }
  assert.equal(differences(was, await state()), [[], []])
})

test('a disk without room for a second cluster is refused before anything stops; the other host is moved', async () => {
  await disk('400m')
  const was = await state()
  const checked = await update(after, '--postgres', '--check')
  assert.is(checked.code, 3)
  assert.ok(resultOf(checked, first).ids.includes('postgres:version'))
  assert.match(resultOf(checked, second).error, refused)
  const result = await update(after, '--postgres')
  assert.is(result.code, 3)
  assert.ok(resultOf(result, first).ids.includes('postgres:version'))
  assert.match(resultOf(result, second).error, refused)
  process.stdout.write(`  ${resultOf(result, second).error}\n`)
  assert.equal(await versions(), ['18', '17'])
  assert.equal(differences(was, await state())[1], [])
  await answers()
})

test('a disk that becomes full in a move: the old server serves as before, with all that it held', async () => {
  await room('1g')
  const { ended } = start([...args(after), '--postgres'], tokens)
  await two.inside(`until [ -s ${folder}/18.new/docker/PG_VERSION ]; do sleep 0.1; done`)
  await room(`$(($(df --output=used -k ${folder} | tail -n 1) + 100))k`)
  const result = await ended
  assert.is(result.code, 3)
  const { error } = resultOf(result, second)
  assert.match(error, /No space left on device/)
  assert.match(error, /PostgreSQL 17 serves as before/)
  assert.equal(await folders(), ['17.old\n18', '17'])
  await answers()
})

test('with room it is moved too, and nothing changes on the host that was', async () => {
  await room('1g')
  const result = await update(after, '--postgres')
  assert.is(result.code, 0, result.stdout + result.stderr)
  assert.equal(resultOf(result, first).ids, [])
  assert.equal(await versions(), ['18', '18'])
  assert.equal(await folders(), ['17.old\n18', '17.old\n18'])
  await answers()
})

test('a check of the way back and of forgetting changes nothing', async () => {
  const was = await state()
  for (const [file, flag, id] of [
    [before, '--back', 'postgres:version'],
    [after, '--forget-old', 'postgres:kept'],
  ] as const) {
    const checked = await update(file, '--postgres', flag, '--check')
    assert.is(checked.code, 2, checked.stdout + checked.stderr)
    for (const host of hosts) assert.ok(resultOf(checked, host).ids.includes(id), `${host} ${id}`)
  }
  assert.equal(differences(was, await state()), [[], []])
})

test('a rotation of both hosts leaves no old secret on either, and verifies what watches a host', async () => {
  const secrets = () =>
    inEach(
      `for each in /etc/botgarden/secrets/postgres/s* /etc/botgarden/secrets/bots/*/*-password /etc/botgarden/secrets/bots/*/webhook-secret; do sha256sum "$each"; done`,
    )
  const old = await secrets()
  await two.inside('systemctl stop botgarden-watch.timer')
  const result = await update(after, '--rotate')
  assert.is(result.code, 0, result.stdout + result.stderr)
  const kept = (await secrets()).flatMap((text, i) => text.split('\n').filter((line) => old[i]?.includes(line)))
  assert.equal(kept, [])
  assert.is(await two.inside('systemctl is-active botgarden-watch.timer'), 'active')
  await answers()
  const site = await run(['playbooks/site.ts', '-i', after, '--json', '--check'], tokens)
  assert.is(site.code, 0, site.stdout + site.stderr)
})

test.run()
