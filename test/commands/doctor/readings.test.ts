import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { attemptsScript, parseAttempts } from '../../../commands/doctor/attempts.ts'
import { parseContainers } from '../../../commands/doctor/container-reading.ts'
import { parseExposure } from '../../../commands/doctor/exposure-reading.ts'
import { parseSearch } from '../../../commands/doctor/secret-reading.ts'
import { answerWith } from '../../support/doctor/recorded.ts'
import { withPrograms } from '../../support/stubs.ts'

const listens = `listens 127.0.0.11:35691
listens 127.0.0.1:33709
listens 0.0.0.0:80
listens 0.0.0.0:22
listens 127.0.0.53%lo:53
listens [::]:22
listens [::1]:631
listens *:9100
hostkey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILJOgYp0gBDZu5RD1olSEknAk
`

test('what listens on loopback alone is no port, and one of both families is one', () => {
  const { ports, hostKeys, readable, backup } = parseExposure(listens)
  assert.equal(ports, [22, 80, 9100])
  assert.equal(hostKeys, ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILJOgYp0gBDZu5RD1olSEknAk'])
  assert.equal([readable, backup], [[], undefined])
})

test('files that others may read, and the newest backup with what is wrong with it', () => {
  const found = parseExposure(`readable 644 /etc/botgarden/secrets/bots/a b/token
own /opt/botgarden/nginx/conf/own/mine.conf
backup 2026-11-26T105101Z
backup-fault db-a.age: FAILED
`)
  assert.equal(found.readable, [{ mode: '644', path: '/etc/botgarden/secrets/bots/a b/token' }])
  assert.equal(found.own, ['/opt/botgarden/nginx/conf/own/mine.conf'])
  assert.equal(found.backup, { name: '2026-11-26T105101Z', state: 'damaged', faults: ['db-a.age: FAILED'] })
  assert.is(parseExposure('backup x\nbackup-is whole\n').backup?.state, 'whole')
  assert.is(parseExposure('backup x\nbackup-is large\n').backup?.state, 'large')
})

test('a search that was cut off has not searched everything', () => {
  const { searched, leaks } = parseSearch(`found cmdline bots/a/token 1000 my tool
searched cmdline
found elsewhere bots/a/token x
found log bots/a/token the journal: journalctl --since -24h
`)
  assert.equal(searched, ['cmdline'])
  assert.equal(leaks, [
    { where: 'cmdline', secret: 'bots/a/token', place: '1000 my tool' },
    { where: 'log', secret: 'bots/a/token', place: 'the journal: journalctl --since -24h' },
  ])
})

test('containers are read whoever has made them, and an engine that is silent is told from one without any', () => {
  const [bot, , , more] =
    parseContainers(
      answerWith({
        name: '/x',
        ports: { '80/tcp': [{ HostIp: '', HostPort: '8081' }], '53/udp': null, '9/tcp': [{}] },
        labels: null,
      }),
    ) ?? []
  assert.equal(
    [bot?.name, bot?.networks, bot?.added, bot?.mounts[0]],
    [
      'botgarden-hello-bot-blue',
      { 'botgarden-hello-bot': '10.210.1.2' },
      [],
      { source: '/etc/botgarden/secrets/bots/hello-bot', writable: false },
    ],
  )
  assert.equal([more?.ports, more?.labels], [['8081', 'one for 9/tcp'], {}])
  assert.equal([parseContainers('engine answers\n'), parseContainers('')], [[], undefined])
  assert.throws(() => parseContainers('engine answers\n{"name":1}'))
})

test('an attempt that did not end is told from one that came by nothing', () => {
  const tried = parseAttempts(`bot a
open 10.210.1.1/443
open sql=/run/postgresql,a,a
tried
bot b
docker: Error response from daemon: cannot join network of a non running container: 1f.
bot c

`)
  assert.equal(tried.get('a'), { open: ['10.210.1.1/443', 'sql=/run/postgresql,a,a'] })
  assert.match(JSON.stringify(tried.get('b')), /non running/)
  assert.equal(tried.get('c'), { untried: 'nothing was answered' })
  assert.is(tried.get('d'), undefined)
})

const place = {
  bot: 'a',
  uid: '20001',
  container: 'botgarden-a-blue',
  database: true,
  controls: ['10.0.0.1/443'],
  targets: ['10.0.0.1/22'],
}
const docker = `case "$1 $2 $3" in
  'ps --all --filter') printf '%s\\n' "fresh $(date +%s)" 'old 1' 'strange 1x' ;;
  'rm -f '*) echo "removed $3" >&2 ;;
  'container inspect --format') echo postgres:of-the-host ;;
  run*) echo "$@" | tr -d '\\n' | cut -c 1-2000; printf '%s\\n' 'open 10.0.0.1/22' tried ;;
esac`

test('it stands where the bot does, has no right that the bot has not, and pulls nothing', async () => {
  const { said } = await withPrograms({ docker }, attemptsScript([place]).text)
  const [, run = ''] = /^bot a\n(run .*)/m.exec(said) ?? []
  for (const part of [
    '--rm --pull never',
    '--network container:botgarden-a-blue --user 20001:20001 --read-only --cap-drop ALL',
    '--security-opt no-new-privileges --memory 96m',
    '--entrypoint timeout postgres:of-the-host 25 bash -c',
    'source=/etc/botgarden/secrets/bots/a/pgpass,',
  ])
    assert.ok(run.includes(part), `${part} in ${run}`)
  assert.equal(parseAttempts(said).get('a'), { open: ['10.0.0.1/22'] })
  const without = await withPrograms({ docker }, attemptsScript([{ ...place, database: false }]).text)
  assert.not.match(without.said, /pgpass,readonly|source=/)
})

test('what a killed one has left is removed, and what another one is doing is not', async () => {
  const noting = `${docker.replace('>&2', `>>"$0.removed"`)}\n[ "$1" != run ] || cat "$0.removed"`
  const { said } = await withPrograms({ docker: noting }, attemptsScript([place]).text)
  assert.equal(said.match(/removed \w+/g), ['removed old', 'removed strange'])
})

test.run()
