// The stand-ins that are built only when they are asked for. Needs this machine's Docker and no VPS; where a registry is in
// reach, the official images are held to the same contract.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { furtherStandIns } from '../../sandbox/images/index.ts'
import { ensureEngine } from '../../sandbox/machine/docker-daemon.ts'
import {
  awaitInside,
  configOf,
  dropped,
  imagesLike,
  inside,
  logs,
  once,
  removeAll,
  start,
  stopped,
  volume,
} from '../support/vps/containers.ts'

await ensureEngine(() => {})
test.after(removeAll)

for (const [kind, python] of await imagesLike(furtherStandIns.python)) {
  test(`python, ${kind}: is found by its names, has pip, and starts Python by itself`, async () => {
    const { Entrypoint, Cmd } = await configOf(python)
    assert.equal([Entrypoint ?? null, Cmd], [null, ['python3']])
    const names = 'for p in python python3 pip; do command -v $p || exit; done; python --version; pip --version'
    const { stdout } = await once([], python, ['sh', '-c', names])
    assert.match(stdout, '/usr/local/bin/python\n/usr/local/bin/python3\n/usr/local/bin/pip\nPython 3.13.')
    assert.match(stdout, /pip .* \(python 3\.13\)/)
    assert.match((await once([], python)).stdout, /^$/)
  })

  test(`python, ${kind}: pip may install, and makes environments of their own`, async () => {
    const made = `python -m venv /tmp/own && /tmp/own/bin/python -c 'import sys; print(sys.prefix)'
      pip install --no-index nothing-like-this 2>&1 | tail -n 2`
    const { stdout } = await once([], python, ['sh', '-c', made])
    assert.match(stdout, '/tmp/own\n')
    assert.match(stdout, 'No matching distribution found')
    assert.not.match(stdout, 'externally-managed')
  })

  test(`python, ${kind}: runs as anybody with every right dropped, and knows time zones and authorities`, async () => {
    const asBot = ['--user', '20001:20001', ...dropped, '--tmpfs', '/tmp', '-e', 'HOME=/tmp']
    const code =
      'import os, ssl, zoneinfo; print(os.getuid(), zoneinfo.ZoneInfo("Europe/Berlin"), ssl.OPENSSL_VERSION[:9])'
    assert.is((await once(asBot, python, ['python', '-c', code])).stdout, '20001 Europe/Berlin OpenSSL 3\n')
  })
}

for (const [kind, valkey] of await imagesLike(furtherStandIns.valkey)) {
  const db = `valkey-${kind}`
  const cli = (command: string) => inside(db, `valkey-cli ${command}`)
  const asServer = ['--user', '999:999', ...dropped, '--tmpfs', '/tmp']

  test(`valkey, ${kind}: says how it is run`, async () => {
    const { Entrypoint, Cmd, WorkingDir, Volumes } = await configOf(valkey)
    assert.equal([Entrypoint, Cmd, WorkingDir], [['docker-entrypoint.sh'], ['valkey-server'], '/data'])
    assert.equal(Volumes, { '/data': {} })
    assert.match((await once([], valkey, ['valkey-server', '--version'])).stdout, /^Valkey server v=8\.1\./)
    assert.match((await once([], valkey, ['id', 'valkey'])).stdout, /^uid=999\(valkey\)/)
    const names = 'for p in valkey-server valkey-cli redis-server redis-cli; do command -v $p >/dev/null || exit; done'
    assert.is((await once([], valkey, ['sh', '-c', names])).status, 0)
  })

  test(`valkey, ${kind}: started as root it is its own user, and others reach it without a password`, async () => {
    await start(db, [], valkey)
    await awaitInside(db, 'valkey-cli ping | grep PONG')
    const { stdout } = await inside(db, 'grep ^Uid: /proc/1/status; valkey-cli config get protected-mode')
    assert.is(stdout, 'Uid:\t999\t999\t999\t999\nprotected-mode\nno\n')
  })

  test(`valkey, ${kind}: with every right dropped, options count, and its data is there for the next one`, async () => {
    const data = ['-v', `${await volume(`${db}-data`)}:/data`]
    const options = ['--appendonly', 'yes', '--requirepass', 's3cret', '--protected-mode', 'yes']
    await start(db, [...asServer, ...data], valkey, options)
    const asked = "valkey-cli --no-auth-warning -a 's3cret'"
    await awaitInside(db, `${asked} ping | grep PONG`)
    assert.match((await cli('get a')).stdout, /NOAUTH/)
    assert.is(
      (await inside(db, `${asked} set a 1; ${asked} config get protected-mode`)).stdout,
      'OK\nprotected-mode\nyes\n',
    )
    assert.is(await stopped(db), 0)
    assert.match(await logs(db), 'ready to exit')
    await start(db, [...asServer, ...data], valkey, options)
    await awaitInside(db, `${asked} get a | grep 1`)
  })

  test(`valkey, ${kind}: a configuration is taken as it is`, async () => {
    const conf = await volume(`${db}-conf`)
    const write =
      'printf "requirepass x\\nmaxmemory 24mb\\nprotected-mode yes\\n" >/conf/v.conf && chmod 644 /conf/v.conf'
    await once(['-v', `${conf}:/conf`], valkey, ['sh', '-c', write])
    await start(db, [...asServer, '--tmpfs', '/data:mode=1777', '-v', `${conf}:/conf`], valkey, ['/conf/v.conf'])
    await awaitInside(db, 'valkey-cli --no-auth-warning -a x ping | grep PONG')
    const { stdout } = await cli('--no-auth-warning -a x config get protected-mode')
    assert.is(stdout, 'protected-mode\nyes\n')
    assert.is((await cli('--no-auth-warning -a x config get maxmemory')).stdout, 'maxmemory\n25165824\n')
  })
}

for (const [name, version] of [
  ['node22', /^v22\./],
  ['node24', /^v24\./],
  ['node20', /^v20\./],
] as const) {
  for (const [kind, node] of await imagesLike(furtherStandIns[name])) {
    test(`${name}, ${kind}: is of that version, and has npm`, async () => {
      assert.match((await once([], node, ['--version'])).stdout, version)
      const asNode = ['--user', 'node', ...dropped, '--tmpfs', '/tmp', '-e', 'HOME=/tmp']
      assert.match((await once(asNode, node, ['npm', '--version'])).stdout, /^1[01]\.\d+\.\d+\n$/)
      assert.is((await once(asNode, node, ['-p', 'process.getuid()'])).stdout, '1000\n')
    })
  }
}

test.run()
