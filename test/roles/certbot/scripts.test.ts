// A certificate from an authority, as the host gets it: our scripts in a real sh, with a stand-in for certbot.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { outputsOf } from '../../../lib/engine/plan.ts'
import { certificateState, selfSigned } from '../../../lib/platform/certificate.ts'
import { nginxReload } from '../../../lib/platform/nginx.ts'
import { runningUnit } from '../../../lib/resources/unit.ts'
import { formerNames } from '../../../roles/certbot/former.ts'
import { issue, putIntoServiceIfNew } from '../../../roles/certbot/issue.ts'
import { lineage, renewal } from '../../../roles/certbot/lineage.ts'
import { certbot } from '../../../roles/index.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { changesOf, contentOf, planOf, stateOf } from '../../support/plan-of.ts'
import { type ScratchHost, scratchHost } from '../../support/scratch-host.ts'

const name = 'b.example.org'
const folder = mkdtempSync(join(tmpdir(), 'certbot-test-'))
test.after(() => rmSync(folder, { recursive: true }))

/** A pair for a name, and another one. */
const pairs = ['one', 'two'].map((each) => {
  const [key, chain] = [join(folder, `${each}.key`), join(folder, `${each}.pem`)]
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-days', '90'],
      ...['-subj', `/CN=${each}`, '-addext', `subjectAltName=DNS:${name}`, '-keyout', key, '-out', chain],
    ],
    { stdio: 'ignore' },
  )
  return { key, chain, keyText: readFileSync(key, 'utf8'), text: readFileSync(chain, 'utf8') }
}) as [Pair, Pair]
interface Pair {
  readonly key: string
  readonly chain: string
  readonly keyText: string
  readonly text: string
}
const [one, two] = pairs
const live = `/etc/letsencrypt/live/${name}`
const current = `/etc/botgarden/tls/${name}/current`

/** A host where nginx runs and certbot gets the first pair. */
async function hostWith(programs: Record<string, string> = {}): Promise<ScratchHost> {
  const host = scratchHost({
    certbot: `mkdir -p ${live}; printf %s '${one.text}' >${live}/fullchain.pem; printf %s '${one.keyText}' >${live}/privkey.pem; printf 'ca %s\\n' "$REQUESTS_CA_BUNDLE" >>"$STATE/calls"`,
    getent: `printf '%s\\n' '192.0.2.1 STREAM' '192.0.2.1 DGRAM' '2001:db8::1 STREAM'`,
    systemctl: 'exit 3',
    ...programs,
  })
  host.container('botgarden-nginx')
  host.folder('/run/botgarden/nginx')
  host.folder('/opt/botgarden/nginx/generations')
  host.folder('/var/lib/botgarden/acme/.well-known/acme-challenge')
  host.folder(`/etc/botgarden/tls/${name}`)
  host.write('/opt/botgarden/nginx/conf/nginx.conf', 'events {}\n')
  assert.is((await host.run(nginxReload)).code, 0)
  return host
}
const order = {
  email: 'me@example.org',
  server: 'https://acme.example.org/dir',
  authority: undefined,
  addresses: ['192.0.2.1', '192.0.2.2'],
  preflight: true,
}

test('the authority is asked when the host has answered its question on every address, and nginx serves what it gave', async () => {
  const host = await hostWith()
  const before = host.noted('loaded')
  const { code, output, calls } = await host.run(issue(name, order))
  assert.is(code, 0, output)
  const asked = calls.filter((call) => call.includes('acme-challenge'))
  assert.equal(
    asked.map((call) => /--resolve (\S+) http:\/\/(\S+)\/\.well-known/.exec(call)?.slice(1)),
    [
      ['b.example.org:80:192.0.2.1', name],
      ['b.example.org:80:[2001:db8::1]', name],
    ],
  )
  assert.match(asked[0] ?? '', /acme-challenge\/botgarden-[0-9a-f]{32}$/)
  const order_ = calls.findIndex((call) => call.startsWith('certbot '))
  assert.ok(calls.findIndex((call) => call.includes('acme-challenge')) < order_)
  assert.is(
    calls[order_],
    'certbot certonly --non-interactive --agree-tos --webroot --webroot-path /var/lib/botgarden/acme --server https://acme.example.org/dir --cert-name b.example.org --domain b.example.org --key-type ecdsa --force-renewal --email me@example.org',
  )
  assert.is(calls[order_ + 1], 'ca ')
  assert.equal(host.list('/var/lib/botgarden/acme/.well-known/acme-challenge'), [])
  assert.is(host.read(`${current}/fullchain.pem`), one.text)
  assert.is(host.read(`${current}/privkey.pem`), one.keyText)
  assert.is(host.mode(`${current}/privkey.pem`), '600')
  assert.is.not(host.noted('loaded'), before, 'what nginx has loaded includes its certificate')
})

test('without an address for mail and with a root of its own the authority is asked so', async () => {
  const host = await hostWith()
  const { calls } = await host.run(
    issue(name, { ...order, email: undefined, authority: '/etc/botgarden/acme-ca.pem', preflight: false }),
  )
  assert.match(calls.find((call) => call.startsWith('certbot ')) ?? '', / --register-unsafely-without-email$/)
  assert.ok(calls.includes('ca /etc/botgarden/acme-ca.pem'))
  assert.equal(
    calls.filter((call) => /acme-challenge|getent/.test(call)),
    [],
  )
})

for (const [what, programs, elsewhere, said] of [
  [
    'has no address',
    { getent: 'exit 2' },
    undefined,
    /^b.example.org has no address: make an A record for it \(this host's addresses: 192.0.2.1 192.0.2.2\), and run again\n$/,
  ],
  [
    'leads elsewhere',
    {},
    '192.0.2.1',
    /^b.example.org: its A record says 192.0.2.1, where this host does not answer on port 80: <html>somebodyelse\nthe authority was not asked: mend the DNS record or open port 80, and run again\n$/,
  ],
  ['leads elsewhere by IPv6', {}, '[2001:db8::1]', /^b.example.org: its AAAA record says 2001:db8::1, where/],
] as const)
  test(`a name that ${what} uses up no try`, async () => {
    const host = await hostWith(programs)
    if (elsewhere) host.note('elsewhere', `${elsewhere}\n`)
    const { code, output, calls } = await host.run(issue(name, order))
    assert.is(code, 1)
    assert.match(output, said)
    assert.equal(
      calls.filter((call) => call.startsWith('certbot')),
      [],
    )
    assert.equal(host.list('/var/lib/botgarden/acme/.well-known/acme-challenge'), [])
  })

test('where systemd-resolved answers it is asked past what the host says of itself', async () => {
  const host = await hostWith({
    systemctl: '[ "$1 $2 $3" = "is-active --quiet systemd-resolved" ]',
    resolvectl: `printf '%s\\n' 'b.example.org: 192.0.2.7 -- link: eth0' '               2001:db8::7 -- link: eth0'`,
  })
  const { code, calls } = await host.run(issue(name, order))
  assert.is(code, 0)
  assert.ok(calls.includes('resolvectl query --synthesize=no --legend=no -- b.example.org'))
  assert.equal(
    calls.flatMap((call) => / --resolve b.example.org:80:(\S+) /.exec(call)?.[1] ?? []),
    ['192.0.2.7', '[2001:db8::7]'],
  )
})

test('an authority that says no puts nothing into service', async () => {
  const host = await hostWith({ certbot: 'echo no such account; exit 1' })
  const { code, output } = await host.run(issue(name, order))
  assert.is(code, 1)
  assert.match(output, 'no such account')
  assert.not.ok(host.there(current))
})

/** What certbot's timer and hooks run. */
const files = certbot.resources(v.parse(certbot.vars, {}), facts, { ...entry, domain: name })
const give = (host: ScratchHost, pair: Pair) => {
  host.write(`${live}/fullchain.pem`, pair.text)
  host.write(`${live}/privkey.pem`, pair.keyText, 0o600)
}

test('after a renewal the new pair is served, and of other certificates nothing is touched', async () => {
  const host = await hostWith()
  give(host, one)
  await host.run(putIntoServiceIfNew(name))
  const before = host.noted('loaded')
  give(host, two)
  const hook = contentOf(files, 'deploy/botgarden')
  assert.match(hook, /^#!\/bin\/sh\n/)
  const { code, calls } = await host.run(`RENEWED_LINEAGE=/etc/letsencrypt/live/theirs\n${hook}`)
  assert.equal([code, calls], [0, []])
  assert.is((await host.run(`RENEWED_LINEAGE=${live}\n${hook}`)).code, 0)
  assert.is(host.read(`${current}/fullchain.pem`), two.text)
  assert.is.not(host.noted('loaded'), before)
  // The one before stays beside it.
  assert.is(host.list(`/etc/botgarden/tls/${name}`).length, 3)
})

test('what a hook left undone the timer does, and nothing where all is in force', async () => {
  const serve = contentOf(files, 'certbot/serve')
  const host = await hostWith()
  assert.equal((await host.run(serve)).calls, [])
  give(host, one)
  assert.is((await host.run(serve)).code, 0)
  assert.is(host.read(`${current}/fullchain.pem`), one.text)
  const reloads = async () => (await host.run(serve)).calls.filter((call) => call.includes('kill -HUP')).length
  assert.is(await reloads(), 0)
  // nginx has not loaded what stands there.
  host.note('loaded', 'other\n')
  assert.is(await reloads(), 1)
  give(host, two)
  assert.is(await reloads(), 1)
  assert.is(host.read(`${current}/fullchain.pem`), two.text)
  host.note('deaf', '')
  give(host, one)
  assert.is((await host.run(serve)).code, 1, 'the unit fails where nginx did not take it')
})

test('the files of certbot: hooks, its timer’s last word, and whom it trusts', () => {
  const ids = files.map(({ id }) => id)
  for (const id of [
    'directory:/etc/letsencrypt',
    'directory:/etc/letsencrypt/renewal-hooks',
    'directory:/etc/letsencrypt/renewal-hooks/deploy',
    'directory:/opt/botgarden/certbot',
  ])
    assert.ok(ids.includes(id), id)
  for (const end of ['deploy/botgarden', 'certbot/serve'])
    assert.match(JSON.stringify(files.find(({ id }) => id.endsWith(end))?.wants), '"mode":"0755"')
  assert.match(
    contentOf(files, 'botgarden-serve.conf'),
    /\n\[Service\]\nExecStartPost=\/opt\/botgarden\/certbot\/serve\n$/,
  )
  const trust = '/etc/systemd/system/certbot.service.d/botgarden.conf'
  assert.equal(
    planOf(files, { [`file:${trust}`]: { type: 'file' } }).filter((line) => line.includes(trust)),
    [`file:${trust}: remove`],
  )
  const own = certbot.resources(v.parse(certbot.vars, { authority: one.chain }), facts, { ...entry, domain: name })
  assert.is(contentOf(own, '/etc/botgarden/acme-ca.pem'), one.text)
  assert.match(
    contentOf(own, 'certbot.service.d/botgarden.conf'),
    /\n\[Service\]\nEnvironment=REQUESTS_CA_BUNDLE=\/etc\/botgarden\/acme-ca.pem\n$/,
  )
})

test('staging, production and an authority of one’s own, by their URLs', () => {
  const asked = (server?: string) =>
    planOf(certbot.resources(v.parse(certbot.vars, server ? { server } : {}), facts, { ...entry, domain: name }), {
      'package:certbot': { version: '1' },
      'unit:certbot.timer': runningUnit,
    }).find((line) => line.startsWith(`certificate:${name}`))
  assert.is(asked(), `certificate:${name}: issue one from https://acme-v02.api.letsencrypt.org/directory`)
  assert.is(
    asked('staging'),
    `certificate:${name}: issue one from https://acme-staging-v02.api.letsencrypt.org/directory`,
  )
  assert.is(asked('https://a.example/x'), `certificate:${name}: issue one from https://a.example/x`)
  assert.throws(() => v.parse(certbot.vars, { server: 'http://a' }))
})

test('what certbot has is read from its files', async () => {
  const host = scratchHost()
  assert.is(await host.reads(lineage(name)), 'absent')
  host.write(
    `/etc/letsencrypt/renewal/${name}.conf`,
    '[renewalparams]\nserver = https://a.example/dir\nkey_type = ecdsa\n',
  )
  assert.is(await host.reads(lineage(name)), 'absent')
  give(host, one)
  const fingerprint = execFileSync('openssl', [
    'x509',
    '-in',
    one.chain,
    '-noout',
    '-fingerprint',
    '-sha256',
  ]).toString()
  assert.equal(await host.reads(lineage(name)), {
    server: 'https://a.example/dir',
    names: [`DNS:${name}`],
    fingerprint: fingerprint.split('=')[1]?.trim().replaceAll(':', '').toLowerCase(),
  })
})

test('of former names certbot is told to forget, or its file goes where certbot is gone', async () => {
  const former = formerNames({ lineages: [name], names: [name], bots: [] })
  const there = { lineages: ['old.example.org', name], folders: [], sites: {} }
  const change = () => changesOf([former], { 'own-lineages:own': there })
  assert.is(change().length, 1)
  const host = scratchHost({ certbot: '' })
  host.write('/etc/letsencrypt/renewal/old.example.org.conf', '')
  const { calls } = await host.run(change()[0]?.script ?? '')
  assert.equal(calls, ['certbot delete --non-interactive --cert-name old.example.org'])
  const bare = scratchHost()
  for (const each of ['old.example.org', name]) bare.write(`/etc/letsencrypt/renewal/${each}.conf`, '')
  await bare.run(change()[0]?.script ?? '')
  assert.equal(bare.list('/etc/letsencrypt/renewal'), [`${name}.conf`])
  const own = former.reads[0]
  assert.ok(own)
  for (const each of ['a', 'b']) bare.write(`/etc/letsencrypt/renewal/${each}.conf`, '')
  bare.folder('/etc/botgarden/tls/b')
  assert.equal(await bare.reads(own), { lineages: ['b'], folders: [], sites: {} })
})

test('a renewal that failed is told, with where to look', async () => {
  const resource = renewal()
  const [reading] = resource.reads
  assert.ok(reading)
  for (const [result, told] of [
    [
      'Result=exit-code\\nExecMainExitTimestamp=Mon 2026-11-23',
      { certificateRenewal: 'FAILED at Mon 2026-11-23: journalctl -u certbot, /var/log/letsencrypt/letsencrypt.log' },
    ],
    ['Result=success\\nExecMainExitTimestamp=Mon 2026-11-23', {}],
    ['', {}],
  ] as const) {
    const host = scratchHost({ systemctl: `printf '${result}\\n'` })
    const state = await host.reads(reading)
    assert.equal(outputsOf([resource], stateOf([resource], { [reading.key]: state })), told)
  }
})

test('a pair of one’s own goes into service, both files at once, and is known for what it is', async () => {
  const own = (fullchain: string, privkey: string) =>
    certbot.resources(v.parse(certbot.vars, { certificate: 'files', files: { fullchain, privkey } }), facts, {
      ...entry,
      domain: name,
    })
  const all = own(one.chain, one.key)
  const [pair] = all.filter(({ id }) => id === `certificate:${name}`)
  assert.ok(pair)
  const host = await hostWith({
    chmod: `for file; do :; done; stat -c 'was %a' "$file" >>"$STATE/calls"; /bin/chmod "$@"`,
  })
  const [change] = changesOf([pair], {})
  assert.is(change?.summary, 'install yours')
  const { code, output, calls } = await host.run(change?.script ?? '')
  assert.is(code, 0, output)
  assert.equal([host.read(`${current}/fullchain.pem`), host.read(`${current}/privkey.pem`)], [one.text, one.keyText])
  assert.is(host.mode(`${current}/privkey.pem`), '600')
  assert.is(calls[calls.findIndex((call) => call.startsWith('chmod 0600')) + 1], 'was 600')
  assert.not.match(change?.script.shown ?? '', /BEGIN/)
  assert.not.ok(host.list(`/etc/botgarden/tls/${name}`).includes('.draft'))
  const now = await host.reads(certificateState(name))
  assert.ok(now !== 'absent' && now.keyMatches && !now.endsSoon && now.names.join() === `DNS:${name}`)
  const file = async (path: string) => {
    const reading = pair.reads.find(({ key }) => key.endsWith(path))
    if (reading === undefined) throw new Error(path)
    return [reading.key, await host.reads(reading)] as const
  }
  const there = Object.fromEntries([await file('fullchain.pem'), await file('privkey.pem')])
  assert.equal(planOf([pair], there), [])
  for (const key of Object.keys(there)) assert.is(planOf([pair], { ...there, [key]: 'absent' }).length, 1)
  assert.throws(() => own(one.chain, two.key), /privkey is not the key of fullchain/)
  assert.throws(() => own(one.key, one.key), /no PEM pair/)
})

test('a pair of one’s own is for the domains of bots that it names, and for no other', () => {
  const of = (domain: string) =>
    certbot.resources(
      v.parse(certbot.vars, { certificate: 'files', files: { fullchain: one.chain, privkey: one.key } }),
      facts,
      { ...entry, bots: [{ name: 'shop', where: 'x', settings: { domains: [domain] } }] },
    )
  assert.ok(of(name).some(({ id }) => id === `certificate:${name}`))
  assert.throws(
    () => of('shop.example.org'),
    /^certbot\.files: the certificate in .*one\.pem is for b\.example\.org, not for shop\.example\.org, a domain of shop: put a certificate there/,
  )
})

test('a pair that signs itself is made on the host, for its name', async () => {
  const host = await hostWith()
  const [change] = changesOf([selfSigned('192.0.2.1', { placeholder: false })], {})
  host.folder('/etc/botgarden/tls/192.0.2.1')
  assert.is((await host.run(change?.script ?? '')).code, 0)
  const now = await host.reads(certificateState('192.0.2.1'))
  assert.equal(now !== 'absent' && [now.names, now.selfSigned, now.keyMatches, now.endsSoon], [
    ['IP Address:192.0.2.1'],
    true,
    true,
    false,
  ])
})

for (const [vars, host, kind] of [
  [{}, { domain: name }, 'letsencrypt'],
  [{}, {}, 'self-signed'],
  [{}, { domain: '203.0.113.7' }, 'self-signed'],
  [{ certificate: 'self-signed' }, { domain: name }, 'self-signed'],
] as const)
  test(`certificate of ${JSON.stringify(vars)} at ${JSON.stringify(host)}: ${kind}`, () => {
    const ids = certbot.resources(v.parse(certbot.vars, vars), facts, { ...entry, ...host }).map(({ id }) => id)
    assert.is(ids.includes('package:certbot'), kind === 'letsencrypt')
    assert.equal(ids.slice(0, 2), ['directory:/etc/botgarden', 'directory:/etc/botgarden/tls'])
    assert.is(ids.at(-1), 'nginx:config')
    assert.ok(ids.includes('certificate:former'))
    assert.is(ids.includes('certificate:renewal'), kind === 'letsencrypt')
  })

test.run()
