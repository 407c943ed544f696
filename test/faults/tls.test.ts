// Needs a bare VPS of its own: `tls`, and the sandbox's certificate authority. What a stranger's tool says of our TLS.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshVps, inVps, removeVps } from '../../sandbox/index.ts'
import { inventoryOf, run } from '../support/runner.ts'
import { addressOf } from '../support/vps/ssh.ts'

const host = 'tls'
const domain = `${host}.sandbox`
const ofBot = [`shop.${domain}`, `www.${domain}`]
let address = ''

test.before(async () => {
  await freshVps(host)
  address = await addressOf(host)
  const certbot = { server: 'https://pebble.sandbox:14000/dir', authority: '.sandbox/acme-ca.pem' }
  const inventory = inventoryOf(
    host,
    { certbot },
    {
      hosts: { [host]: { domain } },
      bots: { shop: { host, source: 'bots/hello-bot', domains: ofBot } },
    },
  )
  const { code, stderr } = await run(['playbooks/site.ts', '-i', inventory])
  assert.is(code, 0, stderr)
  const install =
    'apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends testssl.sh'
  assert.is((await inVps(host, install, { seconds: 120 })).status, 0)
})
test.after(() => removeVps(host))

for (const name of [domain, ...ofBot])
  test(`testssl finds nothing of medium weight at ${name}, but that its root is a test one`, async () => {
    const file = `/root/testssl-${name}.json`
    const options = `--quiet --ip ${address} --severity MEDIUM --jsonfile ${file} --nodns min --openssl /usr/bin/openssl`
    await inVps(host, `timeout 300 testssl ${options} ${name}`, { seconds: 310 })
    const findings: Finding[] = JSON.parse((await inVps(host, `cat ${file}`)).stdout)
    assert.ok(findings.length > 0)
    // Of a root that only the sandbox knows, and of what the authority, not the host, decides.
    const known =
      /^(cert_chain_of_trust|cert_caIssuers|cert_crlDistributionPoints|cert_revocation|cert_trust|overall_grade|grade_cap|DNS_CAArecord)/
    assert.equal(
      findings.filter(
        ({ severity, id }) => ['MEDIUM', 'HIGH', 'CRITICAL', 'FATAL'].includes(severity) && !known.test(id),
      ),
      [],
    )
  })

interface Finding {
  readonly id: string
  readonly severity: string
  readonly finding: string
}

test.run()
