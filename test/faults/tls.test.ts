// Needs a bare VPS of its own: `tls`, and the sandbox's certificate authority. What a stranger's tool says of our TLS.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshVps, inVps, removeVps } from '../../sandbox/index.ts'
import { inventoryOf, run } from '../support/runner.ts'
import { addressOf } from '../support/vps/ssh.ts'

const host = 'tls'
const domain = `${host}.sandbox`
let address = ''

test.before(async () => {
  await freshVps(host)
  address = await addressOf(host)
  const certbot = { server: 'https://pebble.sandbox:14000/dir', authority: '.sandbox/acme-ca.pem' }
  const inventory = inventoryOf(host, { certbot }, { hosts: { [host]: { domain } } })
  const { code, stderr } = await run(['playbooks/site.ts', '-i', inventory])
  assert.is(code, 0, stderr)
})
test.after(() => removeVps(host))

test('testssl finds nothing of medium weight, but that its root is a test one', async () => {
  const install =
    'apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends testssl.sh'
  assert.is((await inVps(host, install, { seconds: 120 })).status, 0)
  const options = `--quiet --ip ${address} --severity MEDIUM --jsonfile /root/testssl.json --nodns min --openssl /usr/bin/openssl`
  await inVps(host, `timeout 300 testssl ${options} ${domain}`, { seconds: 310 })
  const findings: Finding[] = JSON.parse((await inVps(host, 'cat /root/testssl.json')).stdout)
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
