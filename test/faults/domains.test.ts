// Needs a bare VPS of its own: `domains`, the sandbox's certificate authority and its Telegram. The domains of bots.
import { writeFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { local } from '../../lib/shell/local.ts'
import { acmeRoots, removeVps } from '../../sandbox/index.ts'
import { docker, tryDocker } from '../../sandbox/machine/docker-cli.ts'
import { containerOf, label, network } from '../../sandbox/machine/paths.ts'
import { type Run, resultOf, run, scratchFile } from '../support/runner.ts'
import { botHost } from '../support/vps/bot-host.ts'
import { addressOf } from '../support/vps/ssh.ts'
import { once, steadily } from '../support/vps/steady.ts'

const host = 'domains'
const name = `${host}.sandbox`
const [shop, www, app, late] = ['shop', 'www', 'app', 'late'].map((each) => `${each}.${name}`) as [
  string,
  string,
  string,
  string,
]
// The sandbox has this name, and it is not the host's.
const elsewhere = 'pebble.sandbox'
const { inventory, site, hello, changed, inside, answer, begin } = botHost(host, ['hello-bot'])
const withDomains = (own: readonly string[], others: readonly string[] = []) =>
  inventory({
    'hello-bot': { host, domains: own },
    // It is never released.
    later: { host, source: 'bots/hello-bot', domains: others },
  })
const certbotOnly = (file: string) => run(['playbooks/site.ts', '-i', file, '--json', '--tags', 'certbot'])
const check = (file: string) => run(['playbooks/site.ts', '-i', file, '--json', '--check'])
const here = local({ quiet: true, nothrow: true })
const roots = scratchFile('domains-roots.pem', '')
let address = ''
let ca = ''

test.before(async () => {
  await begin()
  assert.is((await hello()).code, 0)
  address = await addressOf(host)
  ca = await acmeRoots()
  writeFileSync(roots, ca)
})
test.after(async () => {
  await tryDocker(['rm', '-f', containerOf('stray')])
  await removeVps(host)
})

const client = (domain: string, ...args: string[]) =>
  here({ input: '' })`timeout 20 openssl s_client -connect ${address}:443 -servername ${domain} ${args}`
const verified = async (domain: string) => {
  const { stdout } = await client(domain, '-CAfile', roots, '-verify_return_error', '-verify_hostname', domain)
  return /Verify return code: 0 \(ok\)/.test(stdout)
}
const serial = async (domain: string) =>
  (await here({ input: (await client(domain)).stdout })`openssl x509 -noout -serial`).stdout
const serials = async (...domains: string[]) => Promise.all(domains.map(serial))
const asked = async () => Number(await inside('ls /var/log/letsencrypt | wc -l'))
const failure = (result: Run): string => resultOf(result, host).error ?? ''
const all = withDomains([shop, www, elsewhere], [app, 'nowhere.sandbox'])

test('a run does what its check says: right domains are served, and wrong ones are told and hold nothing up', async () => {
  const checked = resultOf(await check(all), host)
  const first = await site(all)
  assert.is(first.code, 3)
  assert.equal(changed(first).sort(), [...checked.ids, ...checked.unknownIds].sort())
  for (const domain of [name, shop, www, app]) assert.ok(await verified(domain), domain)
  assert.match(
    failure(first),
    /^pebble\.sandbox of hello-bot has no certificate, and nothing else was held up: its A record says [\d.]+, where this host does not answer on port 80.*\nnowhere\.sandbox of later has no certificate.*: nowhere\.sandbox has no address: make an A record for it .*bot\.ts --name later$/,
    failure(first),
  )
  assert.not.ok(await verified(elsewhere), 'it has a certificate of its own making')
  const { domains } = resultOf(first, host).outputs
  assert.match(
    domains.join('\n'),
    new RegExp(`^${shop} ends 20.*, by Pebble.*\n(.*\n)+nowhere.sandbox ends .*, by itself$`),
  )
  assert.match(await answer('/start'), /\w/)
})

test('the next run changes nothing, asks no authority, and tells it again', async () => {
  const before = await asked()
  for (const again of [await site(all), await check(all)]) {
    const { changed: count, unknown, roundTrips } = resultOf(again, host)
    assert.equal([again.code, count, unknown, roundTrips], [3, 0, 0, 1])
    assert.match(failure(again), 'pebble.sandbox of hello-bot has no certificate')
  }
  assert.is(await asked(), before)
})

test('port 80 leads a domain to HTTPS, nothing is there yet, and a stranger name gets no certificate', async () => {
  const get = async (domain: string, path: string) =>
    (
      await here`curl --silent --output /dev/null --write-out ${'%{http_code} %{redirect_url}'} --resolve ${`${domain}:80:${address}`} http://${domain}${path}`
    ).stdout
  assert.is(await get(shop, '/x?y=1'), `301 https://${shop}/x?y=1`)
  assert.is(await once({ address, name: shop, path: '/', ca }), '404')
  assert.is(await once({ address, name: www, path: '/tg/hello-bot', ca }), '404', 'the webhook is on the host alone')
  assert.match((await client(`other.${name}`)).stderr, 'unrecognized name')
})

const right = withDomains([shop, www], [app])

test('what is not wanted any more is deleted with its folder, and of the others nothing is touched', async () => {
  const before = await serials(name, shop, www, app)
  assert.is((await certbotOnly(right)).code, 0)
  assert.match(await inside('ls /etc/botgarden/tls'), elsewhere, 'nginx still has it')
  const next = await site(right)
  assert.is(next.code, 0, failure(next))
  assert.equal(await serials(name, shop, www, app), before)
  assert.equal((await inside('ls /etc/botgarden/tls')).split('\n').sort(), [app, name, shop, www].sort())
  assert.match((await client(elsewhere)).stderr, 'unrecognized name')
  assert.is(resultOf(await site(right), host).changed, 0)
})

test('every certificate is renewed and served, and no request fails meanwhile', async () => {
  const before = await serials(name, shop, www, app)
  const load = [shop, www].map((each) => steadily(10, { address, name: each, path: '/', ca }))
  const said = await inside(
    'REQUESTS_CA_BUNDLE=/etc/botgarden/acme-ca.pem certbot -q renew --no-random-sleep-on-renew --force-renewal 2>&1 && echo done',
  )
  const answers = await Promise.all(load.map((each) => each.stop()))
  assert.is(said, 'done')
  for (const [i, after] of (await serials(name, shop, www, app)).entries()) assert.is.not(after, before[i])
  assert.equal(answers.map(Object.keys), [['404'], ['404']], JSON.stringify(answers))
  assert.is(resultOf(await site(right), host).changed, 0)
})

test('what a hook left undone for one of them the timer does', async () => {
  const before = await serials(shop, www)
  await inside(
    `chmod -x /etc/letsencrypt/renewal-hooks/deploy/botgarden; REQUESTS_CA_BUNDLE=/etc/botgarden/acme-ca.pem certbot -q renew --cert-name ${www} --no-random-sleep-on-renew --force-renewal`,
  )
  assert.equal(await serials(shop, www), before)
  await inside('systemctl start certbot.service; chmod +x /etc/letsencrypt/renewal-hooks/deploy/botgarden')
  const [ofShop, ofWww] = await serials(shop, www)
  assert.is(ofShop, before[0])
  assert.is.not(ofWww, before[1])
})

test('what is lost comes back: from certbot where it has it, and else from the authority', async () => {
  const before = await serials(shop, www)
  await inside(`rm -r /etc/botgarden/tls/${shop}`)
  const installed = await site(right)
  assert.is(installed.code, 0, failure(installed))
  assert.equal(await serials(shop, www), before)
  await inside(`certbot delete --non-interactive --cert-name ${www}`)
  const issued = await site(right)
  assert.equal(changed(issued), [`certificate:${www}`])
  const [ofShop, ofWww] = await serials(shop, www)
  assert.is(ofShop, before[0])
  assert.is.not(ofWww, before[1])
  await inside('rm /opt/botgarden/nginx/conf/sites/hello-bot.conf')
  assert.equal(changed(await site(right)), ['file:/opt/botgarden/nginx/conf/sites/hello-bot.conf', 'nginx:config'])
  assert.ok(await verified(shop))
})

test('a name that leads to another machine as well is asked for again when DNS has changed', async () => {
  const file = withDomains([shop, www, late], [app])
  const image = await docker(['inspect', '-f', '{{.Config.Image}}', containerOf('mirror')])
  const options = ['--name', containerOf('stray'), '--label', label, '--network', network, '--network-alias', late]
  await docker(['run', '-d', ...options, image, 'sleep', '600'])
  const refused = await site(file)
  assert.is(refused.code, 3)
  assert.match(failure(refused), `${late} of hello-bot has no certificate`)
  assert.is(resultOf(await site(file), host).changed, 0)
  await docker(['rm', '-f', containerOf('stray')])
  const healed = await site(file)
  assert.equal([healed.code, changed(healed)], [0, [`certificate:${late}`]], failure(healed))
  assert.ok(await verified(late))
})

test('bot.ts has a new domain served in one command, and asks again at once for one that failed', async () => {
  assert.is((await site(withDomains([], []))).code, 0)
  assert.is(await inside('ls /etc/botgarden/tls'), name)
  const released = await hello(withDomains([shop, elsewhere], [app]))
  assert.is(released.code, 3)
  assert.ok(await verified(shop))
  assert.not.match(failure(released), app)
  const again = await hello(withDomains([shop, elsewhere], [app]))
  assert.equal(changed(again), [`certificate:${elsewhere}`])
  const single = await hello(withDomains([shop], [app]))
  assert.equal([single.code, resultOf(single, host).domains], [0, undefined], failure(single))
  assert.is((await site(withDomains([shop], [app]))).code, 0)
  assert.is(resultOf(await hello(withDomains([shop], [app])), host).changed, 0)
})

test('a domain that moves to another bot is moved by site.ts, with its certificate, and bot.ts says so', async () => {
  const [before, moved] = [withDomains([], [shop]), withDomains([shop], [])]
  assert.is((await site(before)).code, 0)
  const serialBefore = await serial(shop)
  const refused = await hello(moved)
  assert.is(refused.code, 3)
  assert.match(
    failure(refused),
    `${shop} is served for later so far: run npx zx playbooks/site.ts --limit ${host} first`,
  )
  const checked = resultOf(await check(moved), host)
  const run = await site(moved)
  assert.is(run.code, 0, failure(run))
  assert.equal(changed(run).sort(), [...checked.ids, ...checked.unknownIds].sort())
  assert.is(await inside('ls /opt/botgarden/nginx/conf/sites'), 'hello-bot.conf')
  assert.is(await serial(shop), serialBefore)
  for (const again of [await site(moved), await hello(moved)]) assert.is(resultOf(again, host).changed, 0)
})

test('a new domain needs more than the role of bots, which says so and leaves all as it is', async () => {
  const file = withDomains([shop, late], [])
  const refused = await run(['playbooks/site.ts', '-i', file, '--json', '--tags', 'bot'])
  assert.is(refused.code, 3)
  assert.match(failure(refused), `${late} of hello-bot is new on this host`)
  assert.match(failure(refused), 'run npx zx playbooks/site.ts without --tags first')
  assert.is(resultOf(await site(withDomains([shop], [])), host).changed, 0)
  assert.ok(await verified(shop))
})

test('a host with an address alone gets certbot by bot.ts, for the domains of its bots', async () => {
  const plain = inventory({ 'hello-bot': { host } }, {})
  const own = inventory({ 'hello-bot': { host, domains: [shop] } }, {})
  await inside('apt-get purge -qy certbot >/dev/null 2>&1; rm -rf /etc/letsencrypt')
  const moved = await site(plain)
  assert.is(moved.code, 0, failure(moved))
  const released = await hello(own)
  assert.is(released.code, 0, failure(released))
  assert.ok(await verified(shop))
  assert.is(resultOf(await site(own), host).changed, 0)
})

test.run()
