// Needs a bare VPS of its own: `data`, the sandbox's certificate authority and its Telegram. The files of a bot that last.
import { readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { quote } from '../../../lib/shell/sh.ts'
import { askStandIns, freshVps, removeVps } from '../../../sandbox/index.ts'
import { resultOf, run, scratchFile } from '../../support/runner.ts'
import { botHost } from '../../support/vps/bot-host.ts'
import { botVersion } from '../../support/vps/bot-version.ts'
import { endedIn } from '../../support/vps/inside.ts'

const host = 'data'
const name = 'data-bot'
const model = resolve(import.meta.dirname, '../../support/data-bot')
const folder = dirname(scratchFile('data-test', ''))
const identity = await generateX25519Identity()
const key = scratchFile('data-identity.txt', `${identity}\n`)
const backups = { recipients: [await identityToRecipient(identity)], local: join(folder, 'copies') }
const { bots, tokens, inventory, site, deploy, changed, answer, begin } = botHost(host, [name])
delete bots['hello-bot']
const ended = endedIn(host)
const data = `/var/lib/botgarden/data/${name}`

const version = (text: string) => botVersion(model, folder, text)
const file = (source = model, more: object = {}) =>
  inventory({ [name]: { host, source, ...more } }, { domain: `${host}.sandbox`, backups })
const release = (source?: string, more: object = {}, ...args: string[]) =>
  deploy(['--name', name, ...args], file(source, more))
const say = (text: string) => answer(text, name)
const output = async (command: string) => (await ended(command)).stdout
const restore = (...args: string[]) =>
  run(
    ['playbooks/restore.ts', '-i', file(model, cached), '--identity', key, '--yes', '--from', 'copy', ...args],
    tokens,
  )

test.before(async () => {
  await askStandIns(['valkey'])
  await begin()
})
test.after(() => removeVps(host))

test('a check lists what the first release does, and then nothing is left to do', async () => {
  const check = await release(model, {}, '--check')
  const first = await release()
  assert.is(first.code, 0, resultOf(first, host).error)
  assert.ok(changed(first).includes(`data:${name}`))
  const checked = resultOf(check, host)
  assert.equal(changed(first).sort(), [...checked.ids, ...checked.unknownIds].sort())
  assert.is((await site(file())).code, 0)
  for (const again of [await release(), await site(file())]) {
    const { changed: count, roundTrips } = resultOf(again, host)
    assert.equal([count, roundTrips], [0, 1])
  }
})

test('the folder begins with what the image has, and only the bot reaches it', async () => {
  assert.is(await say('/welcome'), 'made with the image')
  assert.is(await say('one'), '1 notes')
  const [, owner, mode] = /^(\S+) (\S+)$/.exec(await output(`stat -c '%u %a' ${data}/current/app=data`)) ?? []
  assert.equal([owner, mode], ['20001', '700'])
  assert.match((await ended(`runuser -u debian -- ls ${data}`)).all, /Permission denied/)
  assert.is(await output('docker volume ls -q'), '', 'no volume of Docker is made for that of the image')
})

test('a network of a bot gives the addresses of the colours to nobody else', async () => {
  const stranger = `docker run -d --rm --name stranger --network botgarden-${name} $(docker image ls -q botgarden/${name} | head -n 1) sleep 60`
  await ended(stranger)
  const address = await output(
    `docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Gateway}}{{end}}' stranger`,
  )
  await ended('docker rm -f stranger')
  assert.match(address, /^10\.210\.1\.(12[89]|1[3-9]\d|2\d\d) 10\.210\.1\.1$/)
})

test('data survives a release, which stops the version before it and says so', async () => {
  const second = version('second')
  const check = await release(second, {}, '--check')
  assert.match(check.stdout, /stops the version before it, since one alone may write to the data, and copies that/)
  assert.is((await release(second)).code, 0)
  assert.equal([await say('/version'), await say('two')], ['second', '2 notes'])
  assert.is((await output(`ls ${data}`)).split('\n').filter((each) => each.startsWith('before-')).length, 2)
})

test('a version that spoils its data and fails leaves neither', async () => {
  const { code, stdout } = await release(version('broken'))
  assert.is(code, 3)
  assert.match(stdout, /the data from before this release was put back/)
  assert.equal([await say('/version'), await say('/count')], ['second', '2 notes'])
  assert.is(resultOf(await site(file()), host).changed, 0)
})

test('a rollback keeps the data, and says where the copy from before is', async () => {
  assert.is(await say('three'), '3 notes')
  const { code, stderr, stdout } = await release(model, {}, '--rollback')
  assert.is(code, 0, stdout)
  assert.match(
    stderr,
    /the data in \/app\/data stays as it is, and is not rolled back; a copy of it from before \S+ is on the host in \/var\/lib\/botgarden\/data\/data-bot\/before-/,
  )
  assert.equal([await say('/version'), await say('/count')], ['first', '3 notes'])
})

test('whatever the machine goes through, the data is there again', async () => {
  await ended('docker kill $(docker ps -q --filter label=botgarden.bot)')
  assert.is((await site(file())).code, 0)
  assert.is(await say('/count'), '3 notes')
  // The bot has written by then.
  await ended('systemctl restart docker')
  assert.is((await site(file())).code, 0)
  assert.is(await say('four'), '4 notes')
})

test('data that is gone is told by every run, and comes back from where it was', async () => {
  await ended(`docker stop botgarden-${name}-blue botgarden-${name}-green; mv ${data}/current/app=data ${data}/aside`)
  const lost = await site(file())
  assert.is(lost.code, 3)
  assert.match(lost.stdout, /the data of data-bot is gone/)
  assert.match((await release(version('third'))).stdout, /the data of data-bot is gone/)
  await ended(`mv ${data}/aside ${data}/current/app=data`)
  assert.is((await site(file())).code, 0)
  assert.is(await say('/count'), '4 notes')
})

const cached = { cache: { server: 'valkey', persist: true }, environment: { REDIS_URL: '${cache.url}' } }
const cache = `botgarden-${name}-cache`

test('a bot that asks for a cache has one, that survives its releases', async () => {
  const check = await release(model, cached, '--check')
  const first = await release(model, cached)
  assert.is(first.code, 0, first.stdout)
  const checked = resultOf(check, host)
  assert.equal(changed(first).sort(), [...checked.ids, ...checked.unknownIds].sort())
  assert.ok(changed(first).includes(`container:${cache}`))
  for (const again of [await release(model, cached), await site(file(model, cached))]) {
    const { changed: count, roundTrips } = resultOf(again, host)
    assert.equal([count, roundTrips], [0, 1])
  }
  assert.is(await say('/hits'), '1 hits')
  const started = () => output(`docker inspect -f '{{.State.StartedAt}}' ${cache}`)
  const before = await started()
  const next = await release(version('cached'), cached)
  assert.is(next.code, 0, next.stdout)
  assert.equal([await say('/version'), await say('/hits'), await started()], ['cached', '2 hits', before])
})

test('the password of a cache is in no argument, no variable of the server and no file that others read', async () => {
  const password = `/etc/botgarden/secrets/bots/${name}/cache-password`
  assert.is((await output(`cat ${password}`)).length, 43)
  const looked = `
    docker inspect ${cache} | grep -cF -f ${password}
    cat /proc/$(docker inspect -f '{{.State.Pid}}' ${cache})/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -cF -f ${password}
    grep -rlF -f ${password} /opt/botgarden /var/lib/botgarden/bots /run/botgarden /var/log 2>/dev/null | grep -c .
    docker inspect $(docker ps -q --filter label=botgarden.bot=${name}) | grep -cF -f ${password}`
  // The bot has asked for it as a variable.
  assert.equal((await output(looked)).split('\n'), ['0', '0', '0', '1'])
  assert.match((await ended(`docker exec ${cache} valkey-cli incr hits`)).all, /NOAUTH/)
})

test('nobody but its bot reaches a cache, and it is shut in as its bot is', async () => {
  const knock = `require('net').connect({host: '10.210.1.4', port: 6379, timeout: 3000}).on('connect', () => { console.log('open'); process.exit() }).on('timeout', function () { console.log('shut'); this.destroy() }).on('error', () => console.log('shut'))`
  const image = await output(`docker image ls -q botgarden/${name} | head -n 1`)
  const from = (network: string) => output(`docker run --rm --network ${network} ${image} node -e "${knock}"`)
  assert.is(await from(`botgarden-${name}`), 'open')
  assert.is(await from('bridge'), 'shut')
  const [memory, readOnly, caps, published] = (
    await output(
      `docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.PortBindings}}' ${cache}`,
    )
  ).split(' ')
  assert.equal([memory, readOnly, caps, published], [String(32 * 2 ** 20), 'true', '[ALL]', 'map[]'])
})

test('a cache that is full refuses what comes, and is not killed', async () => {
  const fill = `for i in $(seq 60); do echo "SET fill-$i $(head -c 524288 /dev/zero | tr '\\0' x)"; done`
  const script = `{ echo "AUTH $(sed -n 's/^requirepass //p' /run/secrets/server.conf)"; ${fill}; echo "DEL $(seq -f 'fill-%g' -s ' ' 60)"; } | valkey-cli`
  const { all } = await ended(`docker exec -i ${cache} sh -c ${quote(script)}`, 120)
  assert.match(all, /OOM command not allowed when used memory > 'maxmemory'/)
  assert.is(
    await output(`docker inspect -f '{{.State.OOMKilled}} {{.RestartCount}} {{.State.Running}}' ${cache}`),
    'false 0 true',
  )
  assert.is(await say('/hits'), '3 hits')
})

test('a cache that is gone, or was edited, is brought back with what it has kept', async () => {
  await ended(`docker rm -f ${cache}`)
  const healed = await site(file(model, cached))
  assert.ok(changed(healed).includes(`container:${cache}`), healed.stdout)
  await ended(`echo 'maxmemory 1mb' >>/etc/botgarden/secrets/bots/${name}/cache/server.conf`)
  assert.equal(changed(await site(file(model, cached))), [`cache-config:${name}`])
  assert.is(resultOf(await site(file(model, cached)), host).changed, 0)
  await ended('systemctl restart docker')
  assert.is((await site(file(model, cached))).code, 0)
  assert.is(await say('/hits'), '4 hits')
})

test('a backup has it, a drill tries it, and a restore brings it back', async () => {
  const taken = await run(['playbooks/backup.ts', '-i', file(model, cached), '--json'], tokens)
  assert.is(taken.code, 0, taken.stdout + taken.stderr)
  const [copy = ''] = readdirSync(join(backups.local, host)).filter((each) => /Z$/.test(each))
  const parts = readdirSync(join(backups.local, host, copy))
  for (const kind of ['data', 'cache']) assert.ok(parts.includes(`${kind}-${name}.tar.age`), kind)
  assert.equal([await say('five'), await say('/hits')], ['5 notes', '5 hits'])
  const drill = await restore('--drill', '--json')
  assert.is(drill.code, 0, drill.stdout + drill.stderr)
  for (const kind of ['data', 'cache']) assert.ok(resultOf(drill, host).ids.includes(`drill-${kind}:${name}`))
  assert.is(await say('/count'), '5 notes')
  const back = await restore('--name', name, '--json')
  assert.is(back.code, 0, back.stdout + back.stderr)
  assert.equal([await say('/count'), await say('/hits')], ['4 notes', '5 hits'])
  assert.is(await output('ls -A /var/lib/botgarden/incoming'), '')
  assert.is(resultOf(await site(file(model, cached)), host).changed, 0)
})

test('a new machine has it with the bot', async () => {
  await freshVps(host)
  const rebuilt = await restore('--host', host)
  assert.is(rebuilt.code, 0, rebuilt.stdout + rebuilt.stderr)
  assert.equal(
    [await say('/welcome'), await say('/count'), await say('/hits')],
    ['made with the image', '4 notes', '5 hits'],
  )
  assert.is(resultOf(await site(file(model, cached)), host).changed, 0)
})

test('a version that has no cache any more is rid of it', async () => {
  const rid = await release()
  assert.is(rid.code, 0, rid.stdout)
  assert.ok(changed(rid).includes(`cache:${name}`))
  assert.is(
    await output(`docker ps -aq --filter name=${cache}; ls -d /opt/botgarden/bots/${name}/cache 2>/dev/null`),
    '',
  )
  assert.is(resultOf(await site(file()), host).changed, 0)
})

test('removed, its data stays until it is purged', async () => {
  const remove = (...args: string[]) => release(model, {}, '--remove', '--yes', ...args)
  const removed = await remove()
  assert.is(removed.code, 0, removed.stdout)
  assert.match(removed.stdout, /its data is kept in \/var\/lib\/botgarden\/removed/)
  assert.match(await output('ls /var/lib/botgarden/removed/data-bot-*.data/app=data'), 'notes.db')
  assert.is((await remove('--purge')).code, 0)
  assert.is(await output(`ls -d ${data} /var/lib/botgarden/removed/*.data 2>/dev/null`), '')
})

test.run()
