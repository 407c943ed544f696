// What is done on a host for the domains of bots: our scripts in a real sh, with stand-ins for certbot and DNS.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { selfSigned } from '../../../lib/platform/certificate.ts'
import { domainServer, nothingHere } from '../../../lib/platform/domain-server.ts'
import { nginxReload } from '../../../lib/platform/nginx.ts'
import { namesThere, siteFile } from '../../../lib/platform/site-file.ts'
import { formerNames } from '../../../roles/certbot/former.ts'
import { tryToIssue } from '../../../roles/certbot/issue.ts'
import { refusalOf } from '../../../roles/certbot/refusal.ts'
import { certbot } from '../../../roles/index.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { changesOf, contentOf } from '../../support/plan-of.ts'
import { type ScratchHost, scratchHost } from '../../support/scratch-host.ts'

const [shop, www] = ['shop.example.org', 'www.example.org']
const order = {
  ...{ email: undefined, server: 'https://acme.example.org/dir', authority: undefined },
  ...{ addresses: ['192.0.2.1'], preflight: true },
}

/** Makes a pair where certbot keeps those of the name that it is asked for. */
const issuing = `name=$(printf '%s\\n' "$*" | sed 's/.*--domain \\([^ ]*\\).*/\\1/')
mkdir -p /etc/letsencrypt/live/$name
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -subj "/CN=$name" -keyout /etc/letsencrypt/live/$name/privkey.pem -out /etc/letsencrypt/live/$name/fullchain.pem 2>/dev/null`

/** A host where nginx runs, with a placeholder for each of these names. */
async function hostWith(names: readonly string[], programs: Record<string, string> = {}): Promise<ScratchHost> {
  const host = scratchHost({
    ...{
      certbot: `[ "$1" = certonly ] || exit 0\n${issuing}`,
      getent: `cat "$STATE/dns" 2>/dev/null || echo '192.0.2.1 STREAM'`,
      systemctl: 'exit 3',
    },
    ...programs,
  })
  host.container('botgarden-nginx')
  for (const path of ['/run/botgarden/nginx', '/opt/botgarden/nginx/generations']) host.folder(path)
  host.folder('/var/lib/botgarden/acme/.well-known/acme-challenge')
  host.write('/opt/botgarden/nginx/conf/nginx.conf', 'events {}\n')
  for (const name of names) {
    host.write(`/etc/botgarden/tls/${name}/.domain-of-a-bot`, '')
    const [change] = changesOf([selfSigned(name, { placeholder: true })], {})
    assert.is((await host.run(change?.script ?? '')).code, 0)
  }
  assert.is((await host.run(nginxReload)).code, 0)
  return host
}
const served = (host: ScratchHost, name: string) => host.read(`/etc/botgarden/tls/${name}/current/fullchain.pem`)
const had = (host: ScratchHost, name: string) => host.read(`/etc/letsencrypt/live/${name}/fullchain.pem`)
const request = (name: string, run = 'r1') => tryToIssue(name, order, run)

test('a certificate that is issued is served, and what was noted of a failure is gone', async () => {
  const host = await hostWith([shop])
  host.write(`/etc/botgarden/tls/${shop}/.refused`, 'run r0\n')
  const before = host.noted('loaded')
  const { code, output } = await host.run(request(shop))
  assert.is(code, 0, output)
  assert.is(served(host, shop), had(host, shop))
  assert.is.not(host.noted('loaded'), before)
  assert.is(await host.reads(refusalOf(shop)), undefined)
})

for (const [what, dns, programs, elsewhere, reason, asked] of [
  ['has no address', '', {}, undefined, /^shop\.example\.org has no address: make an A record for it/, 0],
  [
    'leads elsewhere',
    undefined,
    {},
    '192.0.2.1',
    /A record says 192\.0\.2\.1, where this host does not answer.*mend/,
    0,
  ],
  [
    'the authority refuses',
    undefined,
    {
      certbot: `printf '%s\\n' 'Saving debug log to x' 'Some challenges have failed.' '  Domain: x' '  Detail: DNS problem'; exit 1`,
    },
    undefined,
    /^DNS problem$/,
    1,
  ],
  [
    'the authority has had enough of',
    undefined,
    {
      certbot: `printf '%s\\n' 'Requesting a certificate for x' 'too many failed authorizations' 'Ask for help'; exit 1`,
    },
    undefined,
    /^too many failed authorizations$/,
    1,
  ],
] as const)
  test(`a domain that ${what}: the run goes on, the reason is noted, and what is served stays`, async () => {
    const host = await hostWith([shop, www], programs)
    if (dns !== undefined) host.note('dns', dns)
    if (elsewhere) host.note('elsewhere', `${elsewhere}\n`)
    const before = served(host, shop)
    const { code, output, calls } = await host.run(request(shop))
    assert.is(code, 0, output)
    assert.is(calls.filter((call) => call.startsWith('certbot ')).length, asked)
    const noted = await host.reads(refusalOf(shop))
    assert.match(noted?.reason ?? '', reason)
    assert.equal([noted?.run, noted?.recent, noted?.dnsChanged], ['r1', true, false])
    assert.match(noted?.until ?? '', /^\d{4}-\d\d-\d\d \d\d:\d\d$/)
    assert.is(served(host, shop), before)
    assert.equal(host.list('/var/lib/botgarden/acme/.well-known/acme-challenge'), [])
    assert.is(await host.reads(refusalOf(www)), undefined)
  })

test('what was noted is old after an hour, or when it is of the future, and DNS is compared with what it said', async () => {
  const host = await hostWith([shop])
  host.note('elsewhere', '192.0.2.1\n')
  await host.run(request(shop))
  host.note('dns', '192.0.2.9 STREAM\n')
  assert.is((await host.reads(refusalOf(shop)))?.dnsChanged, true)
  for (const [when, recent] of [
    ['-59 minutes', true],
    ['-61 minutes', false],
    ['+5 minutes', false],
  ] as const) {
    await host.run(`touch -d '${when}' /etc/botgarden/tls/${shop}/.refused`)
    assert.is((await host.reads(refusalOf(shop)))?.recent, recent, when)
  }
})

test('a configuration that nginx refuses is no fault of a domain: the run ends', async () => {
  const host = await hostWith([shop])
  host.write('/opt/botgarden/nginx/conf/nginx.conf', 'BAD\n')
  const { code, calls } = await host.run(request(shop))
  assert.is.not(code, 0)
  assert.not.ok(calls.some((call) => call.startsWith('certbot')))
})

test('the timer has nginx serve what certbot has of every name, whatever becomes of one', async () => {
  const bots = [{ name: 'shop', where: 'x', settings: { domains: [shop, www] } }]
  const files = certbot.resources(v.parse(certbot.vars, {}), facts, { ...entry, domain: 'b.example.org', bots })
  const host = await hostWith([shop, www, 'b.example.org'])
  host.install('/opt/botgarden/certbot/serve', contentOf(files, 'certbot/serve'))
  const serve = () => host.run('/opt/botgarden/certbot/serve')
  for (const name of [shop, www]) await host.run(`set -- --domain ${name}; ${issuing}`)
  // Of the first one the key is missing.
  await host.run(`rm /etc/letsencrypt/live/${shop}/privkey.pem`)
  assert.is((await serve()).code, 1)
  assert.is(served(host, www), had(host, www))
  assert.is.not(served(host, shop), had(host, shop))
  await host.run(`set -- --domain ${shop}; ${issuing}`)
  assert.is((await serve()).code, 0)
  assert.is(served(host, shop), had(host, shop))
  assert.equal(
    (await serve()).calls.filter((call) => call.includes('HUP')),
    [],
  )
})

const servers = (...domains: string[]) =>
  domains.map((domain) => domainServer({ domain, httpsPort: 443, ipv6: false, inner: nothingHere })).join('\n')

test('what a host has for names is read from certbot, from the folders of domains, and from nginx', async () => {
  const host = await hostWith([shop])
  assert.equal(await host.reads(namesThere), { lineages: [], folders: [shop], sites: {} })
  host.folder('/etc/botgarden/tls/b.example.org')
  for (const name of ['b.example.org', 'theirs.example.org']) host.write(`/etc/letsencrypt/renewal/${name}.conf`, '')
  host.write('/opt/botgarden/nginx/conf/sites/shop.conf', servers(shop, www))
  host.write('/opt/botgarden/nginx/conf/sites/old.conf', '')
  assert.equal(await host.reads(namesThere), {
    lineages: ['b.example.org'],
    folders: [shop],
    sites: { old: [], shop: [shop, www] },
  })
})

test('a file of servers is predicted as it is read', async () => {
  const host = await hostWith([])
  const [change] = changesOf([siteFile('shop', servers(shop, www))], {})
  const prediction = change?.predicts?.find(({ key }) => key === namesThere.key)
  assert.ok(prediction && 'after' in prediction)
  const before = await host.reads(namesThere)
  host.write('/opt/botgarden/nginx/conf/sites/shop.conf', servers(shop, www))
  assert.equal(
    prediction.after(before, () => before as never),
    await host.reads(namesThere),
  )
})

test('a former domain goes with its folder, and of the others nothing is touched', async () => {
  const host = await hostWith([shop, www])
  host.write(`/etc/letsencrypt/renewal/${www}.conf`, '')
  host.write('/opt/botgarden/nginx/conf/sites/shop.conf', servers(shop))
  const wanted = formerNames({ lineages: [shop], names: [shop], bots: ['shop'] })
  const [change, ...others] = changesOf([wanted], { [namesThere.key]: await host.reads(namesThere) })
  assert.equal(others, [])
  const kept = served(host, shop)
  const { code, output, calls } = await host.run(change?.script ?? '')
  assert.is(code, 0, output)
  assert.ok(calls.includes(`certbot delete --non-interactive --cert-name ${www}`))
  assert.equal(host.list('/etc/botgarden/tls'), [shop])
  assert.is(served(host, shop), kept)
  const loaded = host.noted('loaded')
  await host.run(nginxReload)
  assert.is(host.noted('loaded'), loaded, 'nginx runs what is there without it')
})

test('the folder of a domain that nginx uses is not deleted', async () => {
  const host = await hostWith([www])
  host.write('/opt/botgarden/nginx/conf/sites/shop.conf', servers(www))
  const wanted = formerNames({ lineages: [], names: [], bots: [] })
  const [change] = changesOf([wanted], { [namesThere.key]: { lineages: [], folders: [www], sites: {} } })
  const { code, output } = await host.run(change?.script ?? '')
  assert.is(code, 1)
  assert.match(output, `nginx still uses the certificate for ${www}`)
  assert.equal(host.list('/etc/botgarden/tls'), [www])
})

test('the servers of a bot without domains are deleted, and nginx runs without them', async () => {
  const host = await hostWith([])
  host.write('/opt/botgarden/nginx/conf/sites/gone.conf', servers(www))
  await host.run(nginxReload)
  const before = host.noted('loaded')
  const wanted = formerNames({ lineages: [], names: [], bots: [] })
  const [change] = changesOf([wanted], { [namesThere.key]: await host.reads(namesThere) })
  assert.is((await host.run(change?.script ?? '')).code, 0)
  assert.equal(host.list('/opt/botgarden/nginx/conf/sites'), [])
  assert.is.not(host.noted('loaded'), before)
})

test.run()
