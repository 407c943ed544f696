// Needs a bare VPS of its own: `edge`, and the sandbox's certificate authority. What the internet sees of a host.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { local } from '../../lib/shell/local.ts'
import { acmeRoots, freshVps, inVps, removeVps } from '../../sandbox/index.ts'
import { inventoryOf, resultOf, run, start } from '../support/runner.ts'
import { addressOf } from '../support/vps/ssh.ts'
import { once, steadily } from '../support/vps/steady.ts'

const host = 'edge'
const domain = 'edge.sandbox'
const vars = {
  nginx: { telegram: ['10.212.0.0/16'] },
  certbot: { server: 'https://pebble.sandbox:14000/dir', authority: '.sandbox/acme-ca.pem' },
}
const inventory = inventoryOf(host, vars, { hosts: { [host]: { domain } } })
const site = (...args: string[]) => run(['playbooks/site.ts', '-i', inventory, '--json', ...args])
const edge = (...args: string[]) => site('--tags', 'nginx,certbot', ...args)
const here = local({ quiet: true, nothrow: true })
const folder = mkdtempSync(join(tmpdir(), 'edge-test-'))
let address = ''
let ca = ''

test.before(async () => {
  await freshVps(host)
  address = await addressOf(host)
  ca = await acmeRoots()
  writeFileSync(join(folder, 'roots.pem'), ca)
})
test.after(async () => {
  rmSync(folder, { recursive: true })
  await removeVps(host)
})

const healthy =
  'until [ "$(docker inspect -f "{{.State.Health.Status}}" botgarden-nginx)" = healthy ]; do sleep 0.2; done'
const client = (...args: string[]) => here({ input: '' })`timeout 20 openssl s_client -connect ${address}:443 ${args}`
const serial = async () =>
  (await here({ input: (await client('-servername', domain)).stdout })`openssl x509 -noout -serial`).stdout

test('one run from nothing: the chain is verified by a stranger, and a second run changes nothing in one round trip', async () => {
  const first = await site()
  assert.is(first.code, 0, resultOf(first, host).error)
  const { stdout } = await client(
    '-servername',
    domain,
    '-CAfile',
    join(folder, 'roots.pem'),
    '-verify_return_error',
    '-verify_hostname',
    domain,
  )
  assert.match(stdout, 'Verify return code: 0 (ok)')

  const second = await site()
  const { changed, unknown, roundTrips } = resultOf(second, host)
  assert.equal({ changed, unknown, roundTrips }, { changed: 0, unknown: 0, roundTrips: 1 })
  const outputs = JSON.parse(second.stdout).outputs[host]
  assert.is(outputs.https, `https://${domain}/`)
  assert.match(outputs.certificate, /^ends 20\d\d-\d\d-\d\d, by Pebble/)
})

test('another name, and none at all, is refused a handshake', async () => {
  for (const args of [['-servername', 'other.sandbox'], ['-noservername']]) {
    const { exitCode, stderr } = await client(...args)
    assert.is(exitCode, 1)
    assert.match(stderr, 'unrecognized name')
  }
})

test('port 80 answers the authority, leads the domain to HTTPS, and nobody else anywhere', async () => {
  const get = async (name: string, path: string) =>
    (
      await here`curl --silent --output /dev/null --write-out ${'%{http_code} %{redirect_url}'} -H ${`Host: ${name}`} http://${address}${path}`
    ).stdout
  await inVps(host, 'echo hi >/var/lib/botgarden/acme/.well-known/acme-challenge/probe')
  assert.is(await get(domain, '/x?y=1'), `301 https://${domain}/x?y=1`)
  assert.is(await get(domain, '/.well-known/acme-challenge/probe'), '200 ')
  assert.is(await get('other.sandbox', '/'), '000 ')
})

test('a forced renewal changes what is served, and no request fails meanwhile', async () => {
  const before = await serial()
  assert.match(before, /^serial=\w+/)
  const load = steadily(20, { address, name: domain, path: '/', ca })
  const { status, stdout, stderr } = await inVps(
    host,
    'REQUESTS_CA_BUNDLE=/etc/botgarden/acme-ca.pem certbot -q renew --no-random-sleep-on-renew --force-renewal',
  )
  const answers = await load.stop()
  assert.is(status, 0, stdout + stderr)
  assert.equal(Object.keys(answers), ['404'], JSON.stringify(answers))
  assert.is.not(await serial(), before)
  assert.is(resultOf(await edge(), host).changed, 0)
})

test('a renewal that fails is told by every run until one succeeds', async () => {
  const lineage = `/etc/letsencrypt/renewal/${domain}.conf`
  await inVps(
    host,
    `sed -i '1i renew_before_expiry = 9999 days' ${lineage}; echo 127.0.0.1 pebble.sandbox >>/etc/hosts`,
  )
  await inVps(host, 'systemctl start certbot.service')
  const told = async () => JSON.parse((await edge('--check')).stdout).outputs[host].certificateRenewal
  assert.match(await told(), /^FAILED at .*20\d\d/)
  await inVps(
    host,
    "sed -i '/pebble/d' /etc/hosts 2>/dev/null || sed '/pebble/d' /etc/hosts >/tmp/h; cat /tmp/h >/etc/hosts",
  )
  const before = await serial()
  await inVps(host, 'systemctl start certbot.service')
  assert.is(await told(), undefined)
  assert.is.not(await serial(), before, 'the timer renews and puts into service by itself')
  await inVps(host, `sed -i '/^renew_before_expiry/d' ${lineage}`)
})

test('a broken file of yours: the run names file and line, the old configuration is served, and mended it heals', async () => {
  const broken = '/opt/botgarden/nginx/conf/own/mine.conf'
  await inVps(host, `printf 'location = /mine {\\n  retrun 204;\\n}\\n' >${broken}`)
  const refused = await edge()
  assert.is(refused.code, 3)
  assert.match(resultOf(refused, host).error, `unknown directive "retrun" in ${broken}:2`)
  assert.is(await once({ address, name: domain, path: '/', ca }), '404')

  await inVps(
    host,
    'docker restart botgarden-nginx; while ! [ -S /run/botgarden/nginx/status.sock ]; do sleep 0.2; done',
  )
  assert.is(await once({ address, name: domain, path: '/', ca }), '404', 'not even a restart reads what nobody tested')

  await inVps(host, `sed -i s/retrun/return/ ${broken}`)
  assert.equal(resultOf(await edge(), host).ids, ['nginx:config'])
  assert.is(await once({ address, name: domain, path: '/mine', ca }), '204')
  await inVps(host, `rm ${broken}`)
  assert.equal(resultOf(await edge(), host).ids, ['nginx:config'])
})

test('what a cut run wrote and never loaded is loaded by the next, however far it came', async () => {
  const wider = { ...vars, nginx: { telegram: ['10.212.0.0/16', '192.0.2.0/24'] } }
  const other = inventoryOf(host, wider, { hosts: { [host]: { domain } } })
  const args = ['playbooks/site.ts', '-i', other, '--tags', 'nginx,certbot', '--json']
  const { ended, seen, kill } = start(args)
  assert.ok(await seen('✓ file:/opt/botgarden/nginx/conf/nginx.conf'))
  kill()
  await ended
  const next = await run([...args, '--wait'])
  assert.is(next.code, 0, resultOf(next, host).error)
  assert.match((await inVps(host, 'cat /opt/botgarden/nginx/running/nginx.conf')).stdout, '192.0.2.0/24 0;')

  const conf = '/opt/botgarden/nginx/conf/nginx.conf'
  await inVps(host, `cp -p ${conf} /root/written`)
  assert.equal(resultOf(await edge(), host).ids, [`file:${conf}`, 'nginx:config'])
  await inVps(host, `mv /root/written ${conf}`)
  assert.equal(resultOf(await run(args), host).ids, ['nginx:config'])
  assert.is((await edge()).code, 0)
})

test('a reload that the master refused is an error, serves on, and is mended by the next run', async () => {
  // The test of a configuration binds no port: only the master itself finds this one taken.
  await squat(8443)
  const moved = inventoryOf(host, vars, { hosts: { [host]: { domain, httpsPort: 8443 } } })
  const args = ['playbooks/site.ts', '-i', moved, '--tags', 'nginx,certbot', '--json']
  const refused = await run(args)
  assert.is(refused.code, 3)
  assert.match(resultOf(refused, host).error, /goes on as it was[\s\S]*8443 failed \(98: Address already in use\)/)
  assert.is(await once({ address, name: domain, path: '/', ca }), '404')
  // Nor does it keep it from starting.
  await inVps(host, `docker restart botgarden-nginx; ${healthy}`)
  assert.is(await once({ address, name: domain, path: '/', ca }), '404')
  await inVps(host, 'systemctl stop squatter')
  assert.equal(resultOf(await run(args), host).ids, ['nginx:config'])
  assert.is((await edge()).code, 0)
})

test('a configuration that a power cut has emptied on the disk is laid out again', async () => {
  await inVps(host, ': >/opt/botgarden/nginx/running/nginx.conf; docker restart botgarden-nginx; sleep 2')
  assert.match(await once({ address, name: domain, path: '/', ca }), /^E/)
  const mended = resultOf(await edge(), host)
  assert.is(mended.ids[0], 'nginx:generation', mended.error)
  assert.is(mended.error, undefined)
  assert.is(await once({ address, name: domain, path: '/', ca }), '404')
  assert.is(resultOf(await edge(), host).changed, 0)
})

test('a web server that was there first is named with what stops it', async () => {
  await inVps(host, 'docker stop botgarden-nginx')
  await squat(80)
  const refused = await edge('--check')
  await inVps(host, 'systemctl stop squatter')
  assert.is(refused.code, 3)
  assert.match(resultOf(refused, host).error, /^port 80 is held by python3: systemctl disable --now squatter.service/)
  assert.equal(resultOf(await edge(), host).ids, ['container:botgarden-nginx', 'nginx:config'])
})

test('a renewed certificate that nginx did not take is taken at the next run of the timer, or told', async () => {
  const shown = `/etc/botgarden/tls/${domain}/current`
  const before = await serial()
  const old = (await inVps(host, `readlink ${shown}`)).stdout.trim()
  // As a hook leaves it that has failed: certbot is content.
  await inVps(
    host,
    'chmod -x /etc/letsencrypt/renewal-hooks/deploy/botgarden; REQUESTS_CA_BUNDLE=/etc/botgarden/acme-ca.pem certbot -q renew --no-random-sleep-on-renew --force-renewal',
  )
  assert.is(await serial(), before)
  await inVps(host, 'systemctl start certbot.service; chmod +x /etc/letsencrypt/renewal-hooks/deploy/botgarden')
  assert.is.not(await serial(), before)
  assert.is.not((await inVps(host, `readlink ${shown}`)).stdout.trim(), old)
  assert.is(resultOf(await edge(), host).changed, 0)
})

test('a name that leads elsewhere, or nowhere, is said before the authority is asked', async () => {
  for (const [other, said] of [
    ['nowhere.sandbox', 'nowhere.sandbox has no address: make an A record for it'],
    [
      'pebble.sandbox',
      /pebble.sandbox: its A record says [\d.]+, where this host does not answer on port 80[\s\S]*the authority was not asked/,
    ],
  ] as const) {
    const file = inventoryOf(host, vars, { hosts: { [host]: { domain: other } } })
    const refused = await run(['playbooks/site.ts', '-i', file, '--tags', 'nginx,certbot', '--json'])
    assert.is(refused.code, 3)
    assert.match(resultOf(refused, host).error, said)
  }
  assert.is((await edge()).code, 0)
})

test('a host that gets another domain is served under it, and what it had before is not renewed any more', async () => {
  const other = `www.${domain}`
  const file = inventoryOf(host, vars, { hosts: { [host]: { domain: other } } })
  const moved = await run(['playbooks/site.ts', '-i', file, '--tags', 'nginx,certbot', '--json'])
  assert.is(moved.code, 0, moved.stderr)
  assert.ok(resultOf(moved, host).ids.includes('certificate:former'))
  assert.match((await inVps(host, 'certbot certificates 2>/dev/null')).stdout, /Certificate Name: www/)
  assert.is((await inVps(host, 'ls /etc/letsencrypt/renewal')).stdout.trim(), `${other}.conf`)
  assert.is((await edge()).code, 0)
  assert.is((await inVps(host, 'ls /etc/letsencrypt/renewal')).stdout.trim(), `${domain}.conf`)
  assert.is(resultOf(await edge(), host).changed, 0)
})

test('beyond loopback only sshd and nginx listen', async () => {
  const { stdout } = await inVps(host, "ss -Htlnp | awk '$4 !~ /^127|^\\[::1\\]/ { print $4, $6 }'")
  const open = stdout
    .trim()
    .split('\n')
    .map((line) => /:(\d+) users:\(\("([^"]+)"/.exec(line)?.slice(1).join(' '))
  assert.equal([...new Set(open)].sort(), ['22 sshd', '443 nginx', '80 nginx'])
})

/** Has another web server listen there. */
async function squat(port: number): Promise<void> {
  const listens = `ss -Hltn 'sport = :${port}' | grep -q .`
  const start = `systemd-run --quiet --unit=squatter python3 -m http.server ${port}`
  assert.is((await inVps(host, `${start}; until ${listens}; do sleep 0.1; done`)).status, 0)
}

test.run()
