import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { runningUnit } from '../../../lib/resources/unit.ts'
import { certbot } from '../../../roles/index.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { planOf } from '../../support/plan-of.ts'

const domain = 'bots.example.org'
const production = 'https://acme-v02.api.letsencrypt.org/directory'
const plan = (vars: unknown, host: object, state: Record<string, unknown> = {}) =>
  planOf(certbot.resources(v.parse(certbot.vars, vars), facts, { ...entry, ...host }), state).filter((line) =>
    /^(certificate|package|unit)/.test(line),
  )
const faults = (vars: unknown, host: object) => certbot.faults(v.parse(certbot.vars, vars), { ...entry, ...host })

const got = { server: production, names: [`DNS:${domain}`], fingerprint: 'aa' }
const shown = { fingerprint: 'aa', names: [`DNS:${domain}`], selfSigned: false, keyMatches: true, endsSoon: false }
const built = {
  'package:certbot': { version: '4.0' },
  'unit:certbot.timer': runningUnit,
  [`lineage:${domain}`]: got,
  [`certificate:${domain}`]: shown,
}

test('a domain gets its certificate from the authority', () => {
  assert.equal(plan({}, { domain }), [
    'package:certbot: install',
    'unit:certbot.timer: comes-with package:certbot',
    `certificate:${domain}: issue one from ${production}`,
  ])
  assert.equal(plan({}, { domain }, built), [])
})

test('from staging to production is a change', () => {
  const staging = { ...got, server: 'https://acme-staging-v02.api.letsencrypt.org/directory' }
  assert.equal(plan({}, { domain }, { ...built, [`lineage:${domain}`]: staging }), [
    `certificate:${domain}: issue one from ${production}, not from ${staging.server}`,
  ])
  assert.equal(plan({ server: 'staging' }, { domain }, { ...built, [`lineage:${domain}`]: staging }), [])
})

test('what certbot renewed and nobody put into service is put into service, without asking the authority', () => {
  const renewed = { ...built, [`lineage:${domain}`]: { ...got, fingerprint: 'bb' } }
  assert.equal(plan({}, { domain }, renewed), [`certificate:${domain}: install the one that certbot has`])
})

test('what a former domain, or a former kind of certificate, has left is not renewed any more', () => {
  const left = { ...built, 'own-lineages:own': { lineages: ['old.example.org', domain], folders: [], sites: {} } }
  const gone = 'certificate:former: delete what is no longer served: the certificate'
  assert.equal(plan({}, { domain }, left), [`${gone} for old.example.org`])
  assert.equal(
    plan(
      { certificate: 'self-signed' },
      { domain },
      { ...left, [`certificate:${domain}`]: { ...shown, selfSigned: true } },
    ),
    [`${gone}s for old.example.org, ${domain}`],
  )
})

test('a bare address signs for itself, anew when that ends soon or is for another address', () => {
  const own = { ...shown, names: ['IP Address:192.0.2.1'], selfSigned: true }
  const key = 'certificate:192.0.2.1'
  assert.equal(plan({}, {}), [`${key}: make a self-signed one`])
  assert.equal(plan({}, {}, { [key]: own }), [])
  for (const wrong of [{ endsSoon: true }, { names: ['IP Address:192.0.2.9'] }, { keyMatches: false }])
    assert.equal(plan({}, {}, { [key]: { ...own, ...wrong } }), [`${key}: make a new self-signed one`])
})

test('an address that the host itself does not know, behind a provider that translates it', () => {
  assert.equal(plan({}, { domain: '203.0.113.7' }), ['certificate:203.0.113.7: make a self-signed one'])
})

test('what does not fit together is said before any host is touched', () => {
  assert.match(faults({ certificate: 'letsencrypt' }, {})[0] ?? '', 'is for a domain')
  assert.match(faults({}, { domain, httpsPort: 80 })[0] ?? '', 'httpsPort: 80 is where letsencrypt asks')
  assert.match(faults({ certificate: 'files' }, { domain })[0] ?? '', 'needs fullchain and privkey')
  assert.equal(faults({ certificate: 'self-signed' }, { domain, httpsPort: 80 }), [])
})

test('a file of yours that is not there is named by its key', () => {
  const vars = { certificate: 'files', files: { fullchain: 'none.pem', privkey: 'none.key' } }
  assert.throws(() => plan(vars, { domain }), /certbot.files.fullchain: cannot be read: .*none.pem/)
})

test.run()
