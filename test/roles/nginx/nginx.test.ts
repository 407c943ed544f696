import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { outputsOf } from '../../../lib/engine/plan.ts'
import { nginx } from '../../../roles/index.ts'
import { configText } from '../../../roles/nginx/config.ts'
import { nginxOfDomains } from '../../../roles/nginx/index.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { planOf, stateOf } from '../../support/plan-of.ts'

const domain = 'bots.example.org'
const edge = { name: domain, port: 443, ipv6: false, telegram: ['149.154.160.0/20'] }
const role = (host: object = { domain }) => nginx.resources(v.parse(nginx.vars, {}), facts, { ...entry, ...host })
const plan = (state: Record<string, unknown>) =>
  planOf(role(), { 'image:nginx:1.30.6': true, ...state }).filter((line) =>
    /^(nginx|container|certificate|file:\/opt)/.test(line),
  )

const container = role().find(({ id }) => id === 'container:botgarden-nginx')?.wants
const built = {
  'nginx:config': { current: true, whole: true, inForce: true },
  'container:botgarden-nginx': { status: 'running', health: 'healthy', config: container },
  [`certificate:${domain}`]: { keyMatches: true },
}

test('is known on a bare host to the last detail', () => {
  assert.equal(plan({}), [
    `certificate-placeholder:${domain}: make a self-signed one`,
    'file:/opt/botgarden/nginx/conf/nginx.conf: create',
    'nginx:generation: lay out the first configuration',
    'file:/opt/botgarden/nginx/compose.yaml: create',
    'container:botgarden-nginx: create',
  ])
})

test('reloads for a file that changed, and for one that was changed and never loaded', () => {
  const files = (line: string) => !line.startsWith('file:')
  assert.equal(plan(built).filter(files), ['nginx:config: reload'])
  const text = configText({ ...edge, telegram: ['149.154.160.0/20', '91.108.4.0/22'] })
  assert.ok(text.includes(domain))
  const stale = { ...built, 'nginx:config': { current: true, whole: true, inForce: false } }
  assert.ok(plan(stale).includes('nginx:config: reload'))
})

test('what a power cut has left of a configuration is laid out again before the server starts with it', () => {
  const cut = {
    ...built,
    'nginx:config': { current: true, whole: false, inForce: false },
    'container:botgarden-nginx': { status: 'restarting', health: 'starting', config: container },
  }
  assert.equal(
    plan(cut).filter((line) => !line.startsWith('file:')),
    [
      'nginx:generation: lay out again what is not as it was written',
      'container:botgarden-nginx: start, since it is restarting',
      'nginx:config: comes-with container:botgarden-nginx',
    ],
  )
})

test('a web server that was there first is named, unless it is ours', () => {
  const taken = { 'port-holders:80 443': ['port 80 is held by apache2: systemctl disable --now apache2.service'] }
  assert.throws(() => plan(taken), /^port 80 is held by apache2/)
  assert.not.throws(() => plan({ ...built, ...taken }))
  const parse = role().find(({ id }) => id === 'nginx:ports')?.reads[0]?.kind.parse ?? (() => new Map())
  assert.equal(parse('80 apache2 apache2.service\n80 apache2 apache2.service\n443 x \n', ['80 443']).get('80 443'), [
    'port 80 is held by apache2: systemctl disable --now apache2.service, and run again',
    'port 443 is held by x',
  ])
})

test('a certificate of an authority is left where it is, and one without its key is replaced', () => {
  const whole = plan(built).filter((line) => line.startsWith('certificate'))
  assert.equal(whole, [])
  const broken = { ...built, [`certificate:${domain}`]: { keyMatches: false } }
  assert.ok(plan(broken).includes(`certificate-placeholder:${domain}: make a new self-signed one`))
})

test('a domain: strangers are refused a handshake, port 80 leads to HTTPS', () => {
  const text = configText(edge)
  assert.match(text, /listen 443 ssl default_server;\n\s+server_name _;\n\s+ssl_reject_handshake on;/)
  assert.match(text, `return 301 https://${domain}$request_uri;`)
  assert.not.match(text, '[::]')
})

test('another port stands in the redirect, and IPv6 is listened to where the host has it', () => {
  const text = configText({ ...edge, port: 8443, ipv6: true })
  assert.match(text, `return 301 https://${domain}:8443$request_uri;`)
  for (const listen of ['[::]:80', '[::]:8443 ssl default_server', '[::]:8443 ssl;'])
    assert.match(text, `listen ${listen}`)
})

test('a bare address: everybody gets the certificate, since nobody says a name', () => {
  const text = configText({ ...edge, name: '192.0.2.1' })
  assert.match(text, /listen 443 ssl default_server;\n\s+http2 on;\n\s+server_name _;/)
  assert.not.match(text, 'ssl_reject_handshake')
  assert.not.match(text, 'return 301')
})

test('HTTPS on port 80 leaves no plain HTTP', () => {
  assert.equal(
    [...configText({ ...edge, port: 80 }).matchAll(/listen (\d.*);/g)].map(([, listen]) => listen),
    ['80 ssl default_server', '80 ssl'],
  )
})

const bots = [
  { name: 'shop', where: 'x', settings: { domains: ['shop.example.org'] } },
  { name: 'other', where: 'x', settings: { domains: ['o.example.org'] } },
]

test('a domain of a bot has a folder and a certificate to begin with, and its servers are read', () => {
  const ids = role({ domain, bots }).map(({ id }) => id)
  for (const id of [
    'directory:/etc/botgarden/tls/shop.example.org',
    'file:/etc/botgarden/tls/shop.example.org/.domain-of-a-bot',
    'certificate-placeholder:o.example.org',
    'directory:/opt/botgarden/nginx/conf/sites',
    'nginx:domains',
  ])
    assert.ok(ids.includes(id), id)
  assert.not.ok(role().some(({ id }) => /sites|domain/.test(id.replaceAll(domain, ''))))
})

test('what a release needs for the domains of its bot is that of site.ts, and of no other bot', () => {
  const release = nginxOfDomains(['shop'])
  const resources = release.resources(v.parse(nginx.vars, {}), facts, { ...entry, domain, bots })
  const whole = role({ domain, bots })
  for (const { id, wants } of resources.filter(({ id }) => id !== 'nginx:domains'))
    assert.equal(wants, whole.find((each) => each.id === id)?.wants, id)
  assert.not.ok(resources.some(({ id }) => id.includes('o.example.org')))
  assert.throws(() => planOf(resources, {}), /^no nginx is here: run npx zx playbooks\/site.ts --limit vps1 first$/)
  assert.ok(planOf(resources, built).includes('certificate-placeholder:shop.example.org: make a self-signed one'))
})

test('a domain that the file of another bot serves is moved by site.ts, and refused by a release', () => {
  const release = nginxOfDomains(['shop']).resources(v.parse(nginx.vars, {}), facts, { ...entry, domain, bots })
  const plan = (sites: object) =>
    planOf(release, { ...built, 'own-lineages:own': { lineages: [], folders: [], sites } })
  assert.throws(
    () => plan({ other: ['o.example.org', 'shop.example.org'] }),
    /^shop\.example\.org is served for other so far: run npx zx playbooks\/site\.ts --limit vps1 first, which moves it$/,
  )
  assert.ok(plan({ other: ['o.example.org'], shop: ['shop.example.org'] }).length > 0)
})

test('tells of each domain until when what it shows is good', () => {
  const all = role({ domain, bots }).filter(({ id }) => id === 'nginx:domains')
  const state = stateOf(all, { 'served:shop.example.org 443': { issuer: 'E7', ends: '2027-02-10' } })
  assert.equal(outputsOf(all, state), {
    domains: ['shop.example.org ends 2027-02-10, by E7', 'o.example.org is not served'],
  })
})

test('tells where the host answers, and until when what it shows is good', () => {
  const all = role().filter(({ id }) => id === 'nginx:served')
  const served = { issuer: 'E7', ends: '2027-02-10' }
  assert.equal(outputsOf(all, stateOf(all, { [`served:${domain} 443`]: served })), {
    https: `https://${domain}/`,
    certificate: 'ends 2027-02-10, by E7',
  })
})

test('understands what openssl says', () => {
  const parse = role().find(({ id }) => id === 'nginx:served')?.reads[0]?.kind.parse ?? (() => new Map())
  const said =
    'served a 443\nsubject=CN=a\nissuer=C=US, O=Authority, CN=E7\nnotAfter=2027-02-10 11:22:33Z\nserved b 443\n'
  assert.equal(Object.fromEntries(parse(said, ['a 443', 'b 443'])), {
    'a 443': { issuer: 'E7', ends: '2027-02-10' },
    'b 443': { issuer: '', ends: '' },
  })
})

test.run()
