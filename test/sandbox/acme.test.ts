// Needs a bare VPS of its own, `certified`, and the sandbox's certificate authority.
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { acmeRoots, freshVps, inVps, removeVps } from '../../sandbox/index.ts'
import { docker } from '../../sandbox/machine/docker-cli.ts'
import { label, paths } from '../../sandbox/machine/paths.ts'
import { outputIn } from '../support/vps/inside.ts'

const host = 'certified'
const directory = 'https://pebble.sandbox:14000/dir'
const inside = outputIn(host)

test.before(async () => {
  await freshVps(host)
  await inside('apt-get update -qq && apt-get install -y -qq --no-install-recommends certbot curl >/dev/null 2>&1')
  await inside(`cat >/root/ca.pem <<'end'\n${readFileSync(paths.acmeCa, 'utf8')}end`)
})
test.after(() => removeVps(host))

test('a VPS reaches the authority by name, and trusts it by the written certificate only', async () => {
  assert.match(await inside(`curl -sS --cacert /root/ca.pem ${directory}`), '"newOrder"')
  assert.is((await inVps(host, `curl -sS ${directory}`)).status, 60)
})

test('it checks the names of a VPS at port 80, and issues from the root that it tells', async () => {
  await inside(
    `REQUESTS_CA_BUNDLE=/root/ca.pem certbot certonly --standalone --server ${directory} --non-interactive --agree-tos \
     --register-unsafely-without-email -d ${host}.sandbox -d www.${host}.sandbox 2>&1`,
  )
  await inside(`cat >/root/roots.pem <<'end'\n${await acmeRoots()}end`)
  const verify = (name: string) =>
    inVps(
      host,
      `cd /etc/letsencrypt/live/${host}.sandbox && openssl verify -CAfile /root/roots.pem -untrusted chain.pem -verify_hostname ${name} cert.pem`,
    )
  for (const name of [`${host}.sandbox`, `www.${host}.sandbox`]) assert.is((await verify(name)).status, 0, name)
  assert.is.not((await verify('vps1.sandbox')).status, 0)
})

test('it refuses a name where nobody answers for it', async () => {
  const { status, stdout } = await inVps(
    host,
    `REQUESTS_CA_BUNDLE=/root/ca.pem certbot certonly --webroot -w /root --server ${directory} --non-interactive --agree-tos \
     --register-unsafely-without-email --cert-name refused -d ${host}.sandbox 2>&1`,
  )
  assert.is(status, 1)
  assert.match(stdout, /connection refused/)
})

test('nothing of the sandbox is published but on 127.0.0.1', async () => {
  const published = (await docker(['ps', '--filter', `label=${label}`, '--format', '{{.Ports}}']))
    .split(/\n|, /)
    .filter((port) => port.includes('->'))
  assert.ok(published.length > 0)
  for (const port of published) assert.match(port, /^127\.0\.0\.1:\d+->/)
})

test.run()
