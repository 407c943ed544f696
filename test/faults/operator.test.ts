// Needs two bare VPSs of its own: `kept`, whose backups are taken, and `operator`, the machine of whoever keeps them: a real
// cron daemon runs backup.ts there, a real restic keeps the copies, and a real HTTP server takes the alerts.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { stringify } from 'yaml'
import { local as command } from '../../lib/shell/local.ts'
import { quote } from '../../lib/shell/sh.ts'
import { freshVps, removeVps, sshConfigFor } from '../../sandbox/index.ts'
import { containerOf } from '../../sandbox/machine/paths.ts'
import { inventoryOf, run, scratchInventory } from '../support/runner.ts'
import { endedIn, sqlIn } from '../support/vps/inside.ts'

const host = 'kept'
const operator = 'operator'
const project = resolve(import.meta.dirname, '../..')
const checkout = '/root/botgarden'
/** Below a hidden folder: restic must not leave it out. */
const copies = '/root/.local/copies'
const identity = await generateIdentity()
const backups = {
  recipients: [await identityToRecipient(identity)],
  local: copies,
  alert: { url: 'http://operator.sandbox:8099/' },
  offsite: { restic: '/srv/restic', passwordFile: '/root/restic-password' },
}

const there = endedIn(host)
const atOperator = endedIn(operator)
const sql = (text: string) => sqlIn(host)(text, 'one')
/** A playbook on the operator's machine. */
const play = (name: string, ...args: string[]) =>
  atOperator(
    `cd ${checkout} && PATH="$PWD/node_modules/.bin:$PATH" zx playbooks/${name}.ts -i /root/garden.yaml ${args.map(quote).join(' ')}`,
    240,
  )
const write = (path: string, content: string) =>
  command({ input: content })`docker exec -i ${containerOf(operator)} sh -c ${`umask 077; cat >${quote(path)}`}`
const posted = async () => (await atOperator('cat /root/posted 2>/dev/null')).stdout
const listed = async () => (await atOperator(`ls ${copies}/${host} 2>/dev/null`)).stdout.split('\n').filter(Boolean)

async function until(what: string, seconds: number, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + seconds * 1000; !(await holds()); await pause(500)) {
    const said = `tail -n 20 ${copies}/backup.log; journalctl -n 20 --no-pager -u cron`
    assert.ok(Date.now() < end, `${what}: not within ${seconds} s\n${(await atOperator(said)).all}`)
  }
}

test.before(async () => {
  await freshVps(host)
  await freshVps(operator)
  const core = inventoryOf(host, { backups })
  const site = await run(['playbooks/site.ts', '-i', core, '--tags', 'docker,postgres,certbot,backups'])
  if (site.code !== 0) throw new Error(site.stdout + site.stderr)
  const tenants = await run([
    'test/support/vps/tenant.ts',
    '-i',
    scratchInventory(host, { tenant: { names: ['one'] } }),
  ])
  if (tenants.code !== 0) throw new Error(tenants.stdout + tenants.stderr)
  await sql("create table users as select n, 'visitor ' || n as name from generate_series(1, 50000) n")

  const { all, status } = await atOperator(
    'apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends cron restic openssh-client libatomic1 && mkdir -p /root/botgarden && systemctl start cron && systemctl is-active cron',
    240,
  )
  if (status !== 0) throw new Error(all)
  const unpack = `docker exec -i ${containerOf(operator)} tar x -C ${checkout} --no-same-owner`
  execFileSync('sh', ['-c', `tar c --exclude ./.git --exclude ./.sandbox --exclude ./backups . | ${unpack}`], {
    cwd: project,
  })
  await write('/root/key.txt', `${identity}\n`)
  await write('/root/restic-password', 'a word that restic asks for\n')
  const key = /IdentityFile "?(.*?)"?$/m.exec(readFileSync(sshConfigFor(host), 'utf8'))?.[1] ?? ''
  await write('/root/.ssh/garden', readFileSync(key, 'utf8'))
  await write(
    '/root/.ssh/config',
    `Host ${host}\n  HostName ${host}.sandbox\n  User root\n  IdentityFile ~/.ssh/garden\n`,
  )
  const hostKey = (await there('cat /etc/ssh/ssh_host_ed25519_key.pub')).stdout.split(' ').slice(0, 2).join(' ')
  await write('/root/.ssh/known_hosts', `${host}.sandbox ${hostKey}\n`)
  await write('/root/garden.yaml', stringify({ vars: { backups }, hosts: { [host]: {} } }))
  await write(
    '/root/alerts.mjs',
    `import { createServer } from 'node:http'
     import { appendFileSync } from 'node:fs'
     createServer(async (request, response) => {
       for await (const chunk of request) appendFileSync('/root/posted', chunk)
       response.end()
     }).listen(8099)`,
  )
  await atOperator(`systemd-run --unit alerts ${checkout}/node_modules/.bin/node /root/alerts.mjs`)
})
test.after(async () => {
  await removeVps(host)
  await removeVps(operator)
})

test('a repository that is not there yet is said with the command that makes it', async () => {
  const { status, all } = await play('backup')
  assert.is(status, 3, all)
  assert.match(all, /there is no repository yet: create it with the same password: restic --repo \/srv\/restic init/)
  const made = await atOperator(
    'rm -f /root/posted; restic --repo /srv/restic --password-file /root/restic-password init',
  )
  assert.is(made.status, 0, made.all)
})

test('a real cron takes one every minute, brings it, and restic takes it along', async () => {
  const installed = await play('backup', '--install-cron', '* * * * *')
  assert.is(installed.status, 0, installed.all)
  const before = await listed()
  await until('a new copy', 150, async () => (await listed()).length > before.length)
  const snapshots = async () =>
    JSON.parse(
      (await atOperator('restic --repo /srv/restic --password-file /root/restic-password snapshots --json')).stdout,
    )
  await until('a snapshot', 30, async () => (await snapshots()).length > 0)
  const [{ hostname, tags, paths }] = await snapshots()
  assert.equal({ hostname, tags, paths }, { hostname: host, tags: ['botgarden'], paths: [join(copies, host)] })
  assert.is((await atOperator(`cat ${copies}/backup.log`)).stdout, '', 'cron says nothing where all is well')
  assert.is(await posted(), '')
})

test('what fails under cron is in its log, and both sides post it to the address', async () => {
  await there('docker stop botgarden-postgres')
  await until('a word in the log', 150, async () =>
    /FAILED/.test((await atOperator(`cat ${copies}/backup.log`)).stdout),
  )
  assert.match(
    (await atOperator(`cat ${copies}/backup.log`)).stdout,
    /^kept {2}FAILED: no backup was taken: the databases/m,
  )
  await until('both words', 30, async () => /^botgarden: backup of kept:$/m.test(await posted()))
  assert.match(await posted(), /^botgarden: backup of kept FAILED: the databases cannot be listed/m)
  await there('docker start botgarden-postgres')
  const removed = await play('backup', '--remove-cron')
  assert.is(removed.status, 0, removed.all)
  assert.is((await atOperator('crontab -l 2>/dev/null')).stdout, '')
})

test('that there is none any more is posted as well', async () => {
  await until('the last run', 60, async () => (await atOperator(`flock -n ${copies}/${host}/.lock true`)).status === 0)
  await atOperator(
    `: >/root/posted; mkdir /root/aside; cd ${copies}/${host} && mv 20* /root/aside && cp -r "$(ls -d /root/aside/* | tail -n 1)" 2026-01-01T000000Z`,
  )
  const { status, all } = await play('backup', '--status', '--quiet')
  await atOperator(`cd ${copies}/${host} && rm -rf 20* && mv /root/aside/* .`)
  assert.is(status, 3, all)
  assert.match(await posted(), /all: the last good backup here is \d+ days old/)
})

test('the operator’s machine is lost too: another one brings everything back from the repository', async () => {
  await atOperator(`mv ${checkout} /root/elsewhere; rm -rf ${copies}`)
  const elsewhere = { ...backups, local: '/root/new-place' }
  await write('/root/garden.yaml', stringify({ vars: { backups: elsewhere }, hosts: { [host]: {} } }))
  const restore = (...args: string[]) =>
    atOperator(
      `cd /root/elsewhere && PATH="$PWD/node_modules/.bin:$PATH" zx playbooks/restore.ts -i /root/garden.yaml --identity /root/key.txt --from restic --yes ${args.join(' ')}`,
      240,
    )
  const [, fingerprint = ''] = (await there('ssh-keygen -lf /etc/botgarden/secrets/backup-signing-key')).stdout.split(
    ' ',
  )
  const listed = await atOperator('restic --repo /srv/restic --password-file /root/restic-password ls latest')
  assert.match(listed.stdout, 'SHA256SUMS.sig')
  assert.not.match(listed.stdout, 'allowed_signers')
  const unknown = await restore('--drill')
  assert.is(unknown.status, 1, unknown.all)
  assert.match(unknown.all, `backups: { signer: '${fingerprint}' }`)
  const pinned = { [host]: { backups: { signer: fingerprint } } }
  await write('/root/garden.yaml', stringify({ vars: { backups: elsewhere }, hosts: pinned }))
  const sum = 'select md5(string_agg(u::text, chr(10) order by n)) from users u'
  const before = (await sql(sum)).stdout
  const drilled = await restore('--drill')
  assert.is(drilled.status, 0, drilled.all)
  assert.match(drilled.all, /one/)
  await sql('drop table users')
  const back = await restore('--name', 'one')
  assert.is(back.status, 0, back.all)
  assert.is((await sql(sum)).stdout, before)
  assert.match(before, /^[0-9a-f]{32}$/)
  const none = await restore('--drill', '--at', '2026-01-01')
  assert.is(none.status, 1, none.all)
  assert.match(none.all, /no backup of kept before that time/)
})

test.run()
