// The gate's own program, in a real shell: what it asks is answered here, by the real program of the other host.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { withPrograms } from '../../support/stubs.ts'

const part = (name: string) => shellFile(new URL(`../../../roles/standby/${name}.sh`, import.meta.url)).text
const [gate, answer] = [part('gate'), part('answer')]
const key = 'k'.repeat(64) + 'K'.repeat(64)
const [mesh, publicAddress] = ['10.214.0.2', '192.0.2.2']
const token = '123:SECRET'

const test = suite<{ home: string }>('gate')
test.before.each((context) => {
  context.home = mkdtempSync(join(tmpdir(), 'gate-'))
  const at = (path: string) => join(context.home, path)
  for (const folder of ['run', 'state', 'bots/shop', 'secrets/shop', 'cluster', 'reached'])
    mkdirSync(at(folder), { recursive: true })
  writeFileSync(at('key'), key)
  writeFileSync(at('peer-key'), key)
  writeFileSync(at('secrets/shop/token'), token)
  writeFileSync(at('bots/shop/current.json'), '{"id":"1","spec":{"mode":"webhook"}}\n')
  writeFileSync(at('hooks'), '')
  writeFileSync(
    at('mesh.conf'),
    `[Interface]\n\n[Peer]\nPublicKey = x\nAllowedIPs = ${mesh}/32\nEndpoint = ${publicAddress}:51820\n`,
  )
  record(context.home, 'record', 1, 'vps1')
  record(context.home, 'peer-record', 1, 'vps1')
})
test.after.each(({ home }) => rmSync(home, { recursive: true }))

function record(home: string, file: string, epoch: number, primary: string) {
  const standby = primary === 'vps1' ? 'vps2' : 'vps1'
  writeFileSync(join(home, file), `${JSON.stringify({ epoch, primary, standby })}\n`)
}
const reach = (home: string, ...addresses: string[]) => {
  for (const each of addresses) writeFileSync(join(home, 'reached', each), '')
}
const hooks = (home: string, ...urls: string[]) =>
  writeFileSync(
    join(home, 'hooks'),
    urls.map((url) => `{"ok":true,"result":{"url":"${url.replaceAll('/', '\\/')}"}}\n`).join(''),
  )
const [here, there] = ['https://vps1.example.org/tg/shop', 'https://vps2.example.org/tg/shop']

/** Runs the gate of vps1 once. What Docker was told, and all arguments of programs, are in the files `docker` and `arguments`. */
async function look(home: string, ...args: string[]) {
  const settings = `home=${home} host=vps1 peer=vps2 peer_mesh=${mesh} port=51821 own_origin=https://vps1.example.org peer_origin=https://vps2.example.org
telegram=https://api.telegram.org record=$home/record key=$home/key run=$home/run state=$home/state mesh_file=$home/mesh.conf bots=$home/bots secrets=$home/secrets
cluster=$home/cluster server=botgarden-postgres`
  const note = `echo "$0 $*" >>${home}/arguments`
  const program = (text: string) => `${note}\n${text}`
  const { said, code } = await withPrograms(
    {
      docker: program(`[ ! -e ${home}/hangs ] || exit 1
case "$1 $2" in
'ps --format')
  [ ! -e ${home}/runs ] || echo shop-blue shop
  [ -e ${home}/server-down ] || echo 'botgarden-postgres ' ;;
'ps --filter') [ ! -e ${home}/runs ] || case "$*" in *'not (.Label "com.docker.swarm.service.name")'*) echo shop-id ;; *) echo shop ;; esac ;;
'ps --quiet') [ -e ${home}/server-down ] || echo server-id ;;
'ps --all') echo waiting-id ;;
'container inspect') echo waiting-id ;;
'exec -i') cat >/dev/null; [ -e ${home}/mute ] || echo 0/3000060 ;;
*) echo "$*" >>${home}/docker; case $* in
  'stop '*postgres) : >${home}/server-down ;;
  stop*) rm -f ${home}/runs ;;
  'start botgarden-postgres') rm -f ${home}/server-down ;;
  esac ;;
esac`),
      curl: program(`for url; do :; done
case "$*" in
*--config*) cat >${home}/asked; cat ${home}/hooks ;;
*) rest=\${url#http://} address=\${rest%%:*} path=/\${rest#*/}
  [ -e ${home}/reached/$address ] || exit 7
  [ ! -e ${home}/replayed ] || path=/00000000000000000000000000000000
  printf 'GET %s HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' "$path" | host=vps2 record=${home}/peer-record key=${home}/peer-key sh ${home}/answer | sed '1,/^.$/d' ;;
esac`),
      logger: program(':'),
      flock: ':',
    },
    `cat >${home}/answer <<'END_OF_ANSWER'\n${answer}\nEND_OF_ANSWER\nset +e\nset -u\n${settings}\nset -- ${args.join(' ')}\n${gate}`,
  )
  const read = (name: string) => (existsSync(join(home, name)) ? readFileSync(join(home, name), 'utf8') : '')
  const verdict = read('run/verdict').split('\n')[1] ?? ''
  const isThere = (folder: string) => existsSync(join(home, 'run', folder))
  return {
    said,
    code,
    verdict,
    docker: read('docker'),
    arguments: read('arguments'),
    record: read('record').trim(),
    bots: isThere('bots'),
    postgres: isThere('postgres'),
  }
}

test('after a boot nothing is open until the peer has said that nobody took over; then all is started once', async ({
  home,
}) => {
  reach(home, mesh)
  const first = await look(home)
  assert.match(first.verdict, /^open primary of epoch 1, as vps2 knows/)
  assert.ok(first.bots && first.postgres)
  assert.is(first.docker, 'start botgarden-postgres\nstart waiting-id\n')
  // What an operator stops by hand stays stopped.
  assert.is((await look(home)).docker, first.docker)
})

test('a newer epoch at the peer shuts it for good: bots first, then the server; it is noted', async ({ home }) => {
  reach(home, mesh)
  await look(home)
  writeFileSync(join(home, 'runs'), '')
  rmSync(join(home, 'docker'))
  record(home, 'peer-record', 2, 'vps2')
  const shut = await look(home)
  assert.is(shut.verdict, 'shut vps2 is the primary since epoch 2')
  assert.not.ok(shut.bots || shut.postgres)
  assert.match(shut.docker, /^stop --time 10 shop-id\n/)
  assert.is(shut.record, '{"epoch":2,"primary":"vps2","standby":"vps1"}')
  // Alone, after another boot: its own record is enough.
  rmSync(join(home, 'reached', mesh))
  hooks(home, here)
  assert.match((await look(home)).verdict, /^shut vps2 is the primary/)
})

test('where the mesh is split the peer is asked by its public address', async ({ home }) => {
  reach(home, publicAddress)
  record(home, 'peer-record', 2, 'vps2')
  assert.match((await look(home)).verdict, /^shut vps2 is the primary since epoch 2/)
})

test('an answer counts only from who has the key, to the question that was asked now, and of this pair', async ({
  home,
}) => {
  reach(home, mesh, publicAddress)
  record(home, 'peer-record', 9, 'vps2')
  hooks(home, here)
  writeFileSync(join(home, 'peer-key'), 'x'.repeat(128))
  assert.match((await look(home)).verdict, /^open .*vps2 does not answer/)
  writeFileSync(join(home, 'peer-key'), key)
  writeFileSync(join(home, 'replayed'), '')
  assert.match((await look(home)).verdict, /^open .*vps2 does not answer/)
  rmSync(join(home, 'replayed'))
  // Of another pair, which it is in by now: nothing of that is noted, but this host is the primary no more.
  for (const pair of ['"primary":"vps3","standby":"vps4"', '"primary":"vps2","standby":"vps3"']) {
    writeFileSync(join(home, 'peer-record'), `{"epoch":9,${pair}}\n`)
    const { record: own, verdict } = await look(home)
    assert.match(own, /"epoch":1,/)
    assert.match(verdict, /^shut vps[23] is the primary since epoch 9, as vps2 knows/)
  }
  // It has another standby by now.
  writeFileSync(join(home, 'peer-record'), '{"epoch":9,"primary":"vps1","standby":"vps4"}\n')
  assert.match((await look(home)).verdict, /^open/)
  for (const text of [
    '',
    '{"epoch":0,"primary":"vps2","standby":"vps1"}',
    '{"epoch":99999999999999999999,"primary":"vps2","standby":"vps1"}',
    '$(reboot)',
    '{"epoch":9,"primary":"vps2;x","standby":"vps1"}',
  ]) {
    writeFileSync(join(home, 'peer-record'), `${text}\n`)
    const { record: own, verdict } = await look(home)
    assert.match(own, /"epoch":1,/, text)
    assert.match(verdict, /^open/, text)
  }
})

test('without the peer Telegram tells: of this host open, of the peer shut, of a stranger neither', async ({
  home,
}) => {
  assert.match((await look(home)).verdict, /^shut vps2 does not answer, and no webhook tells/)
  hooks(home, 'https://laptop.example.org/x', '')
  assert.match((await look(home)).verdict, /^shut vps2 does not answer, and no webhook tells/)
  hooks(home, here, there)
  assert.match((await look(home)).verdict, /^shut vps2 does not answer, and Telegram delivers to vps2/)
  hooks(home, here, 'https://laptop.example.org/x')
  assert.match((await look(home)).verdict, /^open .* Telegram delivers to this host/)
  // It runs, and nobody can be asked any more: it goes on.
  hooks(home)
  assert.match((await look(home)).verdict, /^open .* does not answer/)
  hooks(home, there)
  assert.match((await look(home)).verdict, /^shut .* Telegram delivers to vps2/)
})

test('in the middle of a failover to this host its webhooks are still of the peer: that shuts nothing', async ({
  home,
}) => {
  record(home, 'record', 3, 'vps1')
  hooks(home, there)
  const opened = await look(home, 'open', '3')
  assert.is(opened.code, 0, opened.said)
  assert.match((await look(home)).verdict, /^open/)
  hooks(home, here)
  assert.match((await look(home)).verdict, /^open/)
  hooks(home, there)
  assert.match((await look(home)).verdict, /^shut/)
})

test('nobody opens a host that has served, and whose peer serves since; unless a failover to it has not ended', async ({
  home,
}) => {
  reach(home, mesh)
  hooks(home, here)
  await look(home)
  rmSync(join(home, 'run'), { recursive: true })
  rmSync(join(home, 'reached', mesh))
  hooks(home, there)
  const refused = await look(home, 'open', '1')
  assert.is(refused.code, 1)
  assert.match(refused.said, /Telegram delivers to vps2, which has taken over from vps1/)
  assert.not.ok(refused.bots || refused.postgres)
  // It may be that only nobody has told the run of it.
  reach(home, mesh)
  record(home, 'peer-record', 2, 'vps2')
  assert.match((await look(home, 'open', '1')).said, /vps2 is the primary since epoch 2, as vps2 knows/)
  // Of Telegram no answer: the operator's word counts.
  rmSync(join(home, 'reached', mesh))
  hooks(home)
  assert.is((await look(home, 'open', '1')).code, 0)
})

test('a record that cannot be read, or is gone, shuts', async ({ home }) => {
  reach(home, mesh)
  hooks(home, here)
  for (const text of ['', '{"epoch":1,"primary":"vps1"', '{"epoch":1,"primary":"vps1","standby":"vps2","more":1}']) {
    writeFileSync(join(home, 'record'), text)
    writeFileSync(join(home, 'peer-record'), text)
    assert.match((await look(home)).verdict, /^shut .*cannot be read/, text)
  }
})

test('a fence holds through boots, whoever answers, until a record says otherwise', async ({ home }) => {
  reach(home, mesh)
  await look(home)
  writeFileSync(join(home, 'runs'), '')
  const fenced = await look(home, 'fence', '2')
  assert.is(fenced.code, 0, fenced.said)
  assert.match(fenced.said, /flushed 0\/3000060/)
  assert.not.ok(fenced.bots || fenced.postgres)
  assert.match((await look(home)).verdict, /^shut it was stopped for a failover to vps2/)
  assert.is((await look(home, 'open', '2')).code, 1)
  assert.is((await look(home, 'record', '3', 'vps1', 'vps2')).code, 0)
  assert.match((await look(home)).verdict, /^open/)
})

test('a fence does not say that all is stopped where Docker does not tell', async ({ home }) => {
  writeFileSync(join(home, 'hangs'), '')
  const { code, said } = await look(home, 'fence', '2')
  assert.is(code, 1)
  assert.match(said, /Docker does not answer/)
})

test('who was stopped for a failover is opened by that alone, and has no position of before then', async ({ home }) => {
  reach(home, mesh)
  await look(home)
  writeFileSync(join(home, 'runs'), '')
  await look(home, 'fence', '2')
  const refused = await look(home, 'open', '1')
  assert.is(refused.code, 1)
  assert.match(refused.said, /stopped for a failover to vps2 that has not ended/)
  assert.is((await look(home, 'open', '1', 'back')).code, 0)
  writeFileSync(join(home, 'mute'), '')
  assert.not.match((await look(home, 'fence', '2')).said, /flushed/)
})

test('an older record is never written, and a standby opens for its server alone', async ({ home }) => {
  record(home, 'record', 5, 'vps2')
  assert.is((await look(home, 'record', '4', 'vps1', 'vps2')).code, 1)
  writeFileSync(join(home, 'cluster/standby.signal'), '')
  const standby = await look(home)
  assert.match(standby.verdict, /^shut vps2 is the primary since epoch 5/)
  assert.ok(standby.postgres)
  assert.not.ok(standby.bots)
  assert.match(standby.docker, /^start botgarden-postgres$/m)
})

test('neither the key nor a token is in the argument of any program', async ({ home }) => {
  hooks(home, here)
  reach(home, mesh)
  await look(home)
  rmSync(join(home, 'reached', mesh))
  const { arguments: all } = await look(home)
  assert.match(readFileSync(join(home, 'asked'), 'utf8'), /bot123:SECRET\/getWebhookInfo/)
  assert.not.match(all, /SECRET|kkkk|KKKK/)
})

test.run()
