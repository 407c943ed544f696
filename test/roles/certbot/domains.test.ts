// The domains of bots: each has a certificate of its own, and what goes wrong with one touches no other.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { resourcesOf } from '../../../lib/engine/collect-resources.ts'
import { faultOf, planAll } from '../../../lib/engine/plan.ts'
import { runningUnit } from '../../../lib/resources/unit.ts'
import { certbotOfDomains } from '../../../roles/certbot/index.ts'
import { certbot, nginx } from '../../../roles/index.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { contentOf, idsOf, planOf, stateAfter, stateOf } from '../../support/plan-of.ts'

const production = 'https://acme-v02.api.letsencrypt.org/directory'
const [domain, shop, www, other] = ['bots.example.org', 'shop.example.org', 'www.example.org', 'o.example.org'] as const
const bots = [
  { name: 'shop', where: 'x', settings: { domains: [shop, www] } },
  { name: 'plain', where: 'x', settings: {} },
  { name: 'other', where: 'x', settings: { domains: [other] } },
]
const host = { ...entry, domain, bots }
const resourcesFor = (vars: object = {}, on: object = host) =>
  certbot.resources(v.parse(certbot.vars, vars), facts, { ...entry, ...on })
const plan = (state: Record<string, unknown> = {}, vars: object = {}, on: object = host) =>
  planOf(resourcesFor(vars, on), { ...installed, ...state }).filter((line) => /^certificate[:-]/.test(line))

const installed = { 'package:certbot': { version: '4.0' }, 'unit:certbot.timer': runningUnit }
const issued = (name: string) => ({
  [`lineage:${name}`]: { server: production, names: [`DNS:${name}`], fingerprint: name },
  [`certificate:${name}`]: {
    ...{ fingerprint: name, names: [`DNS:${name}`], selfSigned: false, keyMatches: true, endsSoon: false },
  },
})
const all = { ...issued(domain), ...issued(shop), ...issued(www), ...issued(other) }
const without = (...names: string[]) =>
  Object.fromEntries(Object.entries(all).filter(([key]) => !names.some((name) => key.endsWith(`:${name}`))))
const request = (name: string, bot: string) => `certificate:${name}: request one from ${production}, for ${bot}`
const refusal = { run: 'a', reason: `${shop}: its A record is wrong`, recent: true, until: '14:05', dnsChanged: false }

test('each domain gets a certificate of its own, with one to begin with', () => {
  assert.equal(plan(), [
    `certificate-placeholder:${shop}: make a self-signed one`,
    `certificate-placeholder:${www}: make a self-signed one`,
    `certificate-placeholder:${other}: make a self-signed one`,
    `certificate:${domain}: issue one from ${production}`,
    request(shop, 'shop'),
    request(www, 'shop'),
    request(other, 'other'),
  ])
  assert.equal(plan(all), [])
})

test('one that is lost is had again, and one that certbot renewed is installed', () => {
  assert.equal(plan(without(shop)), [`certificate-placeholder:${shop}: make a self-signed one`, request(shop, 'shop')])
  const renewed = { ...all, [`lineage:${www}`]: { ...issued(www)[`lineage:${www}`], fingerprint: 'new' } }
  assert.equal(plan(renewed), [`certificate:${www}: install the one that certbot has`])
})

test('what the plan predicts needs no further change', () => {
  const resources = resourcesFor()
  assert.equal(planOf(resources, stateAfter(resources, installed)), [])
})

const faultIn = (state: Record<string, unknown>, resources = resourcesFor()) => {
  const read = stateOf(resources, { ...installed, ...all, ...state })
  return faultOf(planAll(resources, read), read)?.message
}
const placeholder = { [`certificate:${shop}`]: { ...issued(shop)[`certificate:${shop}`], selfSigned: true } }
const failed = { ...without(shop), ...placeholder, [`lineage:${shop}`]: 'absent' }
const noted = (more: object = {}) => ({ ...failed, [`certificate-refusal:${shop}`]: { ...refusal, ...more } })

test('one that failed is told, with what to do, and not asked for again in this hour', () => {
  assert.equal(plan({ ...all, ...noted() }), [])
  assert.is(
    faultIn(noted()),
    `${shop} of shop has no certificate, and nothing else was held up: its A record is wrong; it is requested again when DNS answers otherwise, after 14:05 UTC, or at once by: npx zx playbooks/bot.ts --name shop`,
  )
  assert.is(faultIn({}), undefined)
  assert.is(faultIn({ [`certificate-refusal:${shop}`]: refusal }), undefined, 'one that is there by now')
})

for (const [what, more] of [
  ['after an hour', { recent: false }],
  ['when DNS says something else', { dnsChanged: true }],
] as const)
  test(`it is asked for again ${what}`, () => {
    assert.equal(plan({ ...all, ...noted(more) }), [request(shop, 'shop')])
    assert.is(faultIn(noted(more)), undefined)
  })

test('bot.ts asks at once, but once a run, and looks at the domains of its bots alone', () => {
  const role = certbotOfDomains(['shop'])
  const resources = role.resources(v.parse(role.vars, {}), facts, host)
  const ids = idsOf(resources)
  assert.ok(ids.includes(`certificate:${shop}`) && ids.includes(`certificate:${www}`))
  assert.not.ok(ids.some((id) => id.endsWith(other) || id.endsWith(domain) || id === 'certificate:former'))
  const planned = planAll(resources, stateOf(resources, { ...installed, ...all, ...noted() }))
  const [change, ...others] = planned.flatMap((each) =>
    each.status === 'change' && each.resource.id.startsWith('certificate:') ? each.changes : [],
  )
  assert.equal(others, [])
  const run = / run=(\w+)$/m.exec(change?.script.text ?? '')?.[1]
  assert.equal(
    planOf(resources, { ...installed, ...all, ...noted({ run }) }).filter((line) => line.startsWith('cert')),
    [],
  )
  assert.match(faultIn(noted({ run }), [...resources]) ?? '', 'has no certificate')
})

test('a bot without domains needs nothing of certbot for its release', () => {
  const role = certbotOfDomains(['plain'])
  assert.equal(role.resources(v.parse(role.vars, {}), facts, host), [])
})

test('a host with an address alone has certbot for the domains of its bots', () => {
  const lines = plan({}, {}, { domain: undefined, bots })
  assert.ok(lines.includes('certificate:192.0.2.1: make a self-signed one'))
  assert.ok(lines.includes(request(shop, 'shop')))
  const resources = resourcesFor({}, { domain: undefined, bots })
  assert.ok(idsOf(resources).includes('package:certbot'))
  assert.match(contentOf(resources, 'certbot/serve'), `for name in ${shop} ${www} ${other}; do`)
  assert.not.ok(idsOf(resourcesFor({}, { domain: undefined, bots: [] })).includes('package:certbot'))
})

test('self-signed is what each domain is then, and port 80 for HTTPS goes with that alone', () => {
  const lines = plan({}, { certificate: 'self-signed' })
  assert.ok(lines.includes(`certificate:${shop}: comes-with certificate-placeholder:${shop}`), lines.join('\n'))
  assert.not.ok(lines.some((line) => line.includes('request')))
  const faults = (vars: object) =>
    certbot.faults(v.parse(certbot.vars, vars), { ...host, domain: '192.0.2.1', httpsPort: 80 })
  assert.match(faults({})[0] ?? '', 'httpsPort: 80 is where letsencrypt asks')
  assert.equal(faults({ certificate: 'self-signed' }), [])
})

const former = (there: object, on: object = host) =>
  plan({ ...all, 'own-lineages:own': { lineages: [], folders: [], sites: {}, ...there } }, {}, on)
const gone = (name: string) => `certificate:former: delete what is no longer served: the certificate for ${name}`

test('a domain that the inventory has no longer is deleted, and no other', () => {
  const lineages = [domain, shop, www, other, 'old.example.org']
  assert.equal(former({ lineages, folders: [shop, www, other] }), [gone('old.example.org')])
  const fewer = { ...host, bots: [{ ...bots[0], settings: { domains: [shop] } }, ...bots.slice(1)] }
  assert.equal(former({ lineages: [shop, www], folders: [shop, www], sites: { shop: [shop] } }, fewer), [gone(www)])
  assert.equal(former({ folders: ['never.example.org'] }), [gone('never.example.org')], 'one that never got any')
})

test('what nginx still uses stays until its own file says otherwise', () => {
  const fewer = { ...host, bots: [{ ...bots[0], settings: { domains: [shop] } }, ...bots.slice(1)] }
  assert.equal(former({ lineages: [www], folders: [www], sites: { shop: [shop, www] } }, fewer), [])
})

test('the servers of a bot that has no domain any more go before its certificates', () => {
  assert.equal(former({ lineages: ['a.b'], folders: ['a.b'], sites: { plain: ['a.b'], routes: [] } }), [
    'certificate:former: delete the servers of plain, which has no domain',
    gone('a.b'),
  ])
})

test('a folder that is of no domain of a bot is left where it is', () => {
  assert.equal(former({ lineages: [], folders: [] }), [])
})

test('what is deleted comes behind the reload, in any order of the roles', () => {
  const vars = { certbot: v.parse(certbot.vars, {}), nginx: v.parse(nginx.vars, {}) }
  const ids = idsOf(resourcesOf([certbot, nginx], vars, facts, host).resources)
  assert.is(ids.indexOf('certificate:former'), ids.indexOf('nginx:config') + 1)
})

test.run()
