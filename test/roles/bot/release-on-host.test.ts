// What a switch of a bot does to a host, run in a real sh with stand-ins for docker, nginx and Telegram.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { nginxReload } from '../../../lib/platform/nginx.ts'
import { serviceFile } from '../../../roles/bot/release/compose-file.ts'
import { locationText, routeFunctions } from '../../../roles/bot/release/nginx-route.ts'
import { restartScript } from '../../../roles/bot/release/restart-script.ts'
import { switchScript } from '../../../roles/bot/release/switch-script.ts'
import type { Colour } from '../../../roles/bot/spec/layout.ts'
import { parseRelease, type Release } from '../../../roles/bot/spec/release-record.ts'
import { type Spec, specOf } from '../../../roles/bot/spec/spec.ts'
import { limits, place, policy } from '../../support/release-policy.ts'
import type { ScratchHost } from '../../support/scratch-host.ts'
import { sha256 } from '../../support/sha256.ts'
import { switchingHost } from '../../support/switching-host.ts'

type Mode = 'webhook' | 'polling'
const instance = {
  bot: 'hello',
  number: 1,
  ...place,
}
const migrating = { migrate: ['node', 'migrate.ts'], health: '/readyz' }
const spec = (mode: Mode, image: string, migrations = 'a'): Spec => specOf(image, { mode }, migrating, migrations)
const releaseOf = (mode: Mode): Release => ({
  ...{ id: '1', spec: spec(mode, 'hello:1'), colour: 'blue', secrets: {}, by: 'me' },
})
const conf = '/opt/botgarden/nginx/conf'
const location = `${conf}/bots/hello.conf`
const leadsTo = (colour: Colour) => locationText('hello', `10.210.1.${colour === 'blue' ? 2 : 3}`, 3000, '/webhook')
const state = '/var/lib/botgarden/bots/hello'

/** A host where nginx and PostgreSQL run, and what serves is in this mode. */
async function hostWith(before: Mode | undefined): Promise<ScratchHost> {
  const host = switchingHost()
  if (before !== undefined) {
    const { name } = serviceFile(instance, 'blue', releaseOf(before).spec, limits)
    host.container(name)
    host.write(`${state}/current.json`, `${JSON.stringify(releaseOf(before))}\n`)
    host.write(`${state}/releases`, `${JSON.stringify(releaseOf(before))}\n`)
    if (before === 'webhook') host.write(location, leadsTo('blue'))
  }
  const { code, output } = await host.run(nginxReload)
  assert.is(code, 0, output)
  return host
}

function switched(
  before: Mode | undefined,
  after: Mode,
  more: Partial<Spec> = {},
  { migrates = true, secrets = ['token'], oldSpec = {} as Partial<Spec>, commit = '' } = {},
) {
  const last = before && releaseOf(before)
  const old = last && { ...last, spec: { ...last.spec, ...oldSpec } }
  return switchScript({
    ...{
      instance,
      spec: { ...spec(after, 'hello:2'), ...more },
      colour: 'green',
      old,
      oldContainerExists: old !== undefined,
      limits,
    },
    ...{ policy: { ...policy, migrates, ...(commit !== '' && { commit }) }, secrets },
  })
}

/** What of the bot’s containers there is, and where nginx leads. */
function standing(host: ScratchHost) {
  const leads = host.there(location) ? (host.read(location) === leadsTo('blue') ? 'blue' : 'green') : 'nowhere'
  const runs = `generations/${host.noted('loaded').trim()}`
  const conf = host.there(`/opt/botgarden/nginx/${runs}/bots/hello.conf`)
    ? host.read(`/opt/botgarden/nginx/${runs}/bots/hello.conf`)
    : ''
  const served = conf === leadsTo('blue') ? 'blue' : conf === leadsTo('green') ? 'green' : 'nowhere'
  return {
    bots: host.containers().filter((line) => line.includes('hello')),
    leads,
    served,
    colour: host.there(`${state}/current.json`) ? JSON.parse(host.read(`${state}/current.json`)).colour : undefined,
  }
}
const green = 'botgarden-hello-green running always'
const blue = 'botgarden-hello-blue running always'

/** What each call of a switch comes to, as far as it is about which version runs. */
const stepNames: [step: string, call: RegExp][] = [
  ['stop old', /^docker stop --time 20 botgarden-hello-blue$/],
  ['delete webhook', /^curl .*\/deleteWebhook/],
  ['start new', /^docker compose .* up /],
  ['ask its health', /^curl http:\/\/10\.210\.1\.3:3000\/readyz$/],
  ['start new at boot', /^docker update --restart always botgarden-hello-green$/],
  ['reload nginx', /^docker exec botgarden-nginx .*kill -HUP/],
  ['record', /^sync .*\/current\.json\.new /],
  ['not old at boot', /^docker update --restart no botgarden-hello-blue$/],
  ['remove old', /^docker rm -f --volumes botgarden-hello-blue$/],
]

function stepsOf(calls: readonly string[]): string {
  const steps = calls.flatMap((call) => stepNames.filter(([, pattern]) => pattern.test(call)).map(([step]) => step))
  return steps.filter((step, i) => step !== steps[i - 1]).join(', ')
}

// A boot starts the old version until the new one is recorded, and the new one from when the old one gets no more updates.
for (const [before, after, leads, steps] of [
  [undefined, 'webhook', 'green', 'start new, ask its health, start new at boot, reload nginx, record'],
  [undefined, 'polling', 'nowhere', 'delete webhook, start new, ask its health, record, start new at boot'],
  [
    'webhook',
    'webhook',
    'green',
    'start new, ask its health, start new at boot, reload nginx, record, not old at boot, stop old, remove old',
  ],
  [
    'webhook',
    'polling',
    'nowhere',
    'stop old, delete webhook, start new, start new at boot, ask its health, reload nginx, record, ' +
      'start new at boot, not old at boot, stop old, remove old',
  ],
  [
    'polling',
    'webhook',
    'green',
    'stop old, start new, ask its health, start new at boot, reload nginx, record, not old at boot, stop old, remove old',
  ],
  [
    'polling',
    'polling',
    'nowhere',
    'stop old, delete webhook, start new, ask its health, record, start new at boot, not old at boot, stop old, remove old',
  ],
] as const)
  test(`from ${before ?? 'nothing'} to ${after}: the new one alone serves, now and after a boot`, async () => {
    const host = await hostWith(before)
    const { code, output, calls } = await host.run(switched(before, after))
    assert.is(code, 0, output)
    assert.equal(standing(host), { bots: [green], leads, served: leads, colour: 'green' })
    if (before === undefined) assert.is(host.mode(state), '700')
    assert.is(stepsOf(calls), steps)
  })

/** Where a switch may fail, by the mode before and after: what fails, and whether Telegram is told of the webhook again. */
const failures: [what: string, before: Mode, after: Mode, spoil: (host: ScratchHost) => void, said: RegExp][] = [
  ['the container does not start', 'webhook', 'webhook', (host) => host.fails('compose .* up '), /refused/],
  [
    'it is never well',
    'webhook',
    'webhook',
    (host) => host.note('health', '503\n'),
    /was not ready within 60 s[\s\S]*last response from http:\/\/10.210.1.3:3000\/readyz: 503/,
  ],
  [
    'it is well and then no more',
    'webhook',
    'webhook',
    (host) => host.note('health', '200\n503\n'),
    /was ready and no longer answers/,
  ],
  ['nginx refuses', 'webhook', 'webhook', (host) => host.note('docker', spoiltFor('nginx -t')), /unheard of/],
  [
    'Telegram cannot deliver',
    'webhook',
    'webhook',
    (host) => host.note('telegram/getWebhookInfo', undeliverable),
    /Telegram cannot deliver to the new version: connection refused/,
  ],
  ['a polling one does not start', 'polling', 'polling', (host) => host.fails('compose .* up '), /refused/],
  [
    'a polling one after a webhook is never well',
    'webhook',
    'polling',
    (host) => host.note('health', '503\n'),
    /was not ready within 60 s/,
  ],
  [
    'a webhook one after a polling one is never well',
    'polling',
    'webhook',
    (host) => host.note('health', '503\n'),
    /was not ready within 60 s/,
  ],
  [
    'nginx refuses to lead nowhere',
    'webhook',
    'polling',
    (host) => host.note('docker', spoiltFor('nginx -t')),
    /unheard of/,
  ],
  [
    'Telegram does not forget',
    'webhook',
    'polling',
    (host) => host.note('telegram/deleteWebhook', '{"ok":false,"error_code":401,"description":"Unauthorized"}'),
    /Telegram: Unauthorized/,
  ],
]
const undeliverable =
  '{"ok":true,"result":{"url":"x","last_error_date":99999999999,"last_error_message":"connection refused"}}'
/** nginx refuses once, as for a configuration that it cannot load. */
function spoiltFor(call: string): string {
  return `case "$*" in *'${call}'*) [ -e "$STATE/spoilt" ] || { touch "$STATE/spoilt"; echo unheard of; exit 1; } ;; esac\n`
}

for (const [what, before, after, spoil, said] of failures)
  test(`${what}: the one before serves as it did, and nothing of the new one is left`, async () => {
    const host = await hostWith(before)
    const was = { ...standing(host), bots: [blue] }
    spoil(host)
    const { code, output, calls } = await host.run(switched(before, after))
    assert.is(code, 1)
    assert.match(output, said)
    assert.match(output, 'the previous version is still serving: hello:1')
    assert.equal(standing(host), was)
    const last = calls.filter((call) => call.includes('Webhook')).at(-1) ?? ''
    // Whom the new one has taken the updates from has them again.
    if (before === 'webhook' && after === 'polling')
      assert.match(
        last,
        /setWebhook "url=https:\/\/b.example.org\/tg\/hello" "max_connections=10" "secret_token=the-webhook-secret"/,
      )
    else assert.not.match(last, 'setWebhook')
  })

test('nginx that cannot be brought back keeps a new one that it may lead to, and that is said', async () => {
  const host = await hostWith('webhook')
  host.note('telegram/getWebhookInfo', undeliverable)
  // After the switch nothing is taken any more.
  host.note(
    'docker',
    `case "$*" in *'kill -HUP'*) [ -e "$STATE/once" ] && touch "$STATE/deaf"; touch "$STATE/once" ;; esac\n`,
  )
  const { code, output } = await host.run(switched('webhook', 'webhook'))
  assert.is(code, 1)
  assert.match(output, /nginx could not be reverted and may still route to the new version: run site.ts/)
  assert.equal(standing(host).bots, [blue, green])
  assert.is(standing(host).served, 'green')
})

test('a release starts nothing while another one of its turn does, and keeps nobody waiting while it settles', async () => {
  const host = await hostWith('webhook')
  const lock = '/run/botgarden/start-1.lock'
  const note = (word: string) => `echo ${word} >>"$STATE/order"`
  host.note(
    'docker',
    `case "$1 $4" in 'compose run') ${note('migrate')} ;; 'compose up') ${note('start')} ;; esac
     case "$1 $3" in 'update always') ! flock -n ${host.root}${lock} true || ${note('free')} ;; esac`,
  )
  const { code, output } = await host.run(`
    flock ${lock} sh -c '${note('held')}; /bin/sleep 0.5; ${note('left')}' &
    until [ -s "$STATE/order" ]; do :; done
    ${switched('webhook', 'webhook').text}`)
  assert.is(code, 0, output)
  assert.equal(
    host
      .noted('order')
      .trim()
      .split('\n')
      .filter((word, i, all) => word !== all[i - 1]),
    [...['held', 'left', 'migrate', 'start', 'free']],
  )
})

for (const loaded of [false, true])
  test(`the route of a release is ${loaded ? 'in force already, by the reload of another one: nginx reloads no more' : 'brought into force by a reload'}`, async () => {
    const host = await hostWith('webhook')
    const { code, calls, output } = await host.run(`
      set -e
      ${routeFunctions(instance, { colour: 'green', spec: spec('webhook', 'hello:2') }, releaseOf('webhook')).text}
      ${loaded ? 'route_switch' : ':'}
      echo mark >>"$STATE/calls"
      route_switch`)
    assert.is(code, 0, output)
    const after = calls.slice(calls.indexOf('mark'))
    assert.is(after.filter((call) => call.includes('kill -HUP')).length, loaded ? 0 : 1)
    assert.is(standing(host).served, 'green')
  })

test('what a cut run had nginx lead to is taken back before its container goes', async () => {
  const host = await hostWith('webhook')
  host.container('botgarden-hello-green')
  host.write(location, leadsTo('green'))
  assert.is((await host.run(nginxReload)).code, 0)
  assert.is(standing(host).served, 'green')
  // What nginx led to when the leftover was removed.
  host.note(
    'docker',
    `case "$*" in 'rm -f --volumes botgarden-hello-green') cat "$STATE/loaded" >>"$STATE/at-removal" ;; esac\n`,
  )
  host.fails('compose .* run ')
  assert.is((await host.run(switched('webhook', 'webhook'))).code, 1)
  assert.equal(standing(host), { bots: [blue], leads: 'blue', served: 'blue', colour: 'blue' })
  assert.is(host.noted('at-removal').split('\n')[0], host.noted('loaded').trim())
})

test('a file that is right and was never loaded is loaded before the leftover goes', async () => {
  const host = await hostWith('webhook')
  host.write(location, leadsTo('green'))
  assert.is((await host.run(nginxReload)).code, 0)
  host.write(location, leadsTo('blue'))
  host.fails('compose .* run ')
  assert.is((await host.run(switched('webhook', 'webhook'))).code, 1)
  assert.is(standing(host).served, 'blue')
})

test('of a bot that polled nginx is not asked before', async () => {
  const host = await hostWith('polling')
  host.fails('compose .* run ')
  const { calls } = await host.run(switched('polling', 'polling'))
  assert.equal(
    calls.filter((call) => call.includes('nginx')),
    [],
  )
})

test('where nginx has no room for its file the new one goes, since it still leads to the one before', async () => {
  const host = await hostWith('webhook')
  const noRoom = `tee() { case $1 in */hello.conf.new) echo half >"$1"; return 1 ;; *) command tee "$@" ;; esac; }`
  const { code, output } = await host.run(`set -e\n${noRoom}\n${switched('webhook', 'webhook').text}`)
  assert.is(code, 1)
  assert.match(output, /the previous version is still serving: hello:1/)
  assert.equal(standing(host), { bots: [blue], leads: 'blue', served: 'blue', colour: 'blue' })
  assert.not.ok(host.there(`${location}.new`))
})

test('a migration that fails touches nothing else', async () => {
  const host = await hostWith('webhook')
  host.note('migration', 'no such column\n')
  const { code, output, calls } = await host.run(switched('webhook', 'webhook'))
  assert.is(code, 1)
  assert.match(output, /no such column[\s\S]*the migration failed; nothing else was changed/)
  assert.equal(standing(host), { bots: [blue], leads: 'blue', served: 'blue', colour: 'blue' })
  assert.equal(
    calls.filter((call) => / up | stop |Webhook/.test(call)),
    [],
  )
})

const dumps = '/var/lib/botgarden/dumps/hello'
test('changed migrations have the database dumped before they run, for whom it belongs to alone, and three stay', async () => {
  const host = await hostWith('webhook')
  for (const day of [1, 2, 3]) host.write(`${dumps}/2020010${day}-000000.dump`, 'DUMP old')
  const { code, output, calls } = await host.run(switched('webhook', 'webhook', { migrations: 'b' }))
  assert.is(code, 0, output)
  const [one, two, newest = ''] = host.list(dumps)
  assert.equal([one, two], ['20200102-000000.dump', '20200103-000000.dump'])
  assert.is(host.read(`${dumps}/${newest}`), 'DUMP of hello\n')
  assert.is(host.mode(`${dumps}/${newest}`), '600')
  assert.match(output, `a dump of the database from before them is in ${dumps}/${newest}`)
  assert.is(JSON.parse(host.read(`${state}/current.json`)).dump, `${dumps}/${newest}`)
  const at = (call: RegExp) => calls.findIndex((each) => call.test(each))
  assert.ok(at(/pg_restore/) < at(/compose .* run /) && at(/compose .* run /) < at(/ up /))
})

test('a dump that does not read is none: nothing is migrated, and older ones stay', async () => {
  const host = await hostWith('webhook')
  for (const day of [1, 2, 3]) host.write(`${dumps}/2020010${day}-000000.dump`, 'DUMP old')
  host.note('docker', `case "$*" in *pg_dump*) echo half; exit 0 ;; esac\n`)
  const { code, calls } = await host.run(switched('webhook', 'webhook', { migrations: 'b' }))
  assert.is(code, 1)
  assert.equal(host.list(dumps).filter((name) => name.endsWith('.dump')).length, 3)
  assert.equal(
    calls.filter((call) => / run | up | stop /.test(call)),
    [],
  )
  assert.equal(standing(host), { bots: [blue], leads: 'blue', served: 'blue', colour: 'blue' })
})

for (const [what, more, migrates] of [
  ['the same migrations', {}, true],
  ['a bot without a database', { migrations: 'b', database: false }, true],
  ['a way back', { migrations: 'b' }, false],
] as const)
  test(`no dump is taken for ${what}`, async () => {
    const host = await hostWith('webhook')
    const { code, output, calls } = await host.run(switched('webhook', 'webhook', more, { migrates }))
    assert.is(code, 0, output)
    assert.not.ok(host.there(dumps))
    assert.is(
      calls.some((call) => / run --rm .* node migrate.ts/.test(call)),
      migrates,
    )
    assert.is(JSON.parse(host.read(`${state}/current.json`)).dump, undefined)
  })

test('what is recorded: the version, who, the checksums of the secrets; and the past is kept', async () => {
  const host = await hostWith('webhook')
  await host.run(switched('webhook', 'webhook', {}, { secrets: ['token', 'webhook-secret'] }))
  const text = host.read(`${state}/current.json`)
  const release = JSON.parse(text)
  assert.match(release.id, /^\d{8}-\d{6}-2$/)
  assert.equal(Object.keys(release.secrets), ['token', 'webhook-secret'])
  assert.is(release.secrets.token, sha256('the-token'))
  assert.equal([release.by, release.colour, release.spec.image], ['me', 'green', 'hello:2'])
  assert.equal(release.limits, limits)
  assert.equal(host.read(`${state}/releases`).split('\n'), [JSON.stringify(releaseOf('webhook')), text.trim(), ''])
})

test('an old one that is busy is waited for, at most as long as it may drain, and told to stop', async () => {
  const host = await hostWith('webhook')
  host.program('ss', 'echo busy')
  const { calls } = await host.run(switched('webhook', 'webhook'))
  assert.equal(calls.filter((call) => call.startsWith('ss')).length, 2)
  assert.match(calls.find((call) => call.startsWith('ss')) ?? '', 'dst 10.210.1.2')
  const at = (call: string) => calls.findIndex((each) => each.includes(call))
  assert.ok(at('docker stop --time 20 botgarden-hello-blue') > at('ss '))
  assert.ok(at('docker rm -f --volumes botgarden-hello-blue') > at('docker stop --time 20 botgarden-hello-blue'))
})

test('an old one that is idle is not waited for longer than a moment', async () => {
  const host = await hostWith('webhook')
  const { calls } = await host.run(switched('webhook', 'webhook'))
  assert.is(calls.filter((call) => call.startsWith('ss')).length, 1)
})

for (const [what, spoil, said] of [
  ['is not known for certain where Telegram does not answer', 'nothing', 'warning: Telegram does not answer'],
  [
    'is fine where there was trouble before only',
    '{"ok":true,"result":{"last_error_date":1,"last_error_message":"x"}}',
    '',
  ],
] as const)
  test(`whether Telegram can deliver ${what}`, async () => {
    const host = await hostWith('webhook')
    host.note('telegram/getWebhookInfo', spoil)
    const { code, output } = await host.run(switched('webhook', 'webhook'))
    assert.is(code, 0, output)
    assert.is(output.includes('warning'), said !== '')
    assert.match(output, said)
    assert.is(standing(host).colour, 'green')
  })

test('a container that ends before it is ready is reported with its last words', async () => {
  const host = await hostWith('webhook')
  host.note(
    'docker',
    `case "$*" in compose*' up '*) mkdir -p "$STATE/containers/botgarden-hello-green"; printf exited >"$STATE/containers/botgarden-hello-green/status"; exit ;; esac\n`,
  )
  const { code, output, calls } = await host.run(switched('webhook', 'webhook'))
  assert.is(code, 1)
  assert.match(
    output,
    /botgarden-hello-green exited before it was ready[\s\S]*exited, exit code 7[\s\S]*the log of botgarden-hello-green/,
  )
  assert.ok(calls.filter((call) => call.startsWith('sleep')).length < 10)
})

test('one that is restarted while it settles has ended', async () => {
  const host = await hostWith('webhook')
  host.program(
    'sleep',
    `read -r now _ </proc/uptime; echo "$((\${now%%.*} + 1)).00 0.00" >/proc/uptime
    printf 1 >"$STATE/containers/botgarden-hello-green/restarts"`,
  )
  const { code, output } = await host.run(switched('webhook', 'webhook'))
  assert.is(code, 1)
  assert.match(output, /botgarden-hello-green exited \d s after it became ready/)
})

test('an order to end, as of a reboot, has the old one serve again', async () => {
  const host = await hostWith('polling')
  host.program('sleep', 'kill -TERM $PPID')
  const { code, output } = await host.run(switched('polling', 'polling'))
  assert.is(code, 1)
  assert.match(output, 'the previous version is still serving')
  assert.equal(standing(host).bots, [blue])
})

test('an old one that cannot be stopped does not come back with a boot beside the one that serves', async () => {
  const host = await hostWith('webhook')
  host.fails('(stop|rm) .*botgarden-hello-blue')
  const { code, output } = await host.run(switched('webhook', 'webhook'))
  assert.is(code, 0, output)
  assert.equal(standing(host).bots, ['botgarden-hello-blue running no', green])
})

test('an old one that was bound to no boot comes back with each, as long as the new one is not the one that serves', async () => {
  const host = await hostWith('webhook')
  host.container('botgarden-hello-blue', { restart: 'unless-stopped' })
  host.fails('compose .* up ')
  assert.is((await host.run(switched('webhook', 'webhook'))).code, 1)
  assert.equal(standing(host).bots, [blue])
})

test('an old one that is gone is not asked for', async () => {
  const host = await hostWith('webhook')
  await host.run('docker rm -f botgarden-hello-blue')
  const old = releaseOf('webhook')
  const { code, output, calls } = await host.run(
    switchScript({
      ...{
        instance,
        spec: spec('webhook', 'hello:2'),
        colour: 'green',
        old,
        oldContainerExists: false,
        limits,
        policy,
        secrets: [],
      },
    }),
  )
  assert.is(code, 0, output)
  assert.equal(
    calls.filter((call) => /docker (start|update) .*blue/.test(call)),
    [],
  )
  assert.equal(standing(host).bots, [green])
})

for (const mode of ['webhook', 'polling'] as const)
  test(`started again, what is recorded serves alone and is led to: ${mode}`, async () => {
    const host = await hostWith(mode)
    host.container('botgarden-hello-blue', { status: 'restarting', restart: 'unless-stopped' })
    host.container('botgarden-hello-green')
    if (mode === 'webhook') host.write(location, leadsTo('green'))
    await host.run(nginxReload)
    const { code, output, calls } = await host.run(
      restartScript(instance, releaseOf(mode), limits, { start: true, bind: true }),
    )
    assert.is(code, 0, output)
    const leads = mode === 'webhook' ? 'blue' : 'nowhere'
    assert.equal(standing(host), { bots: [blue], leads, served: leads, colour: 'blue' })
    const at = (call: string) => calls.findIndex((each) => each.includes(call))
    assert.is(at('rm -f --volumes botgarden-hello-green') < at(' up '), mode === 'polling')
  })

test('started again and not well, what serves is left as it is, and the reason is told', async () => {
  const host = await hostWith('webhook')
  host.container('botgarden-hello-green')
  host.note('health', '500\n')
  const { code, output } = await host.run(
    restartScript(instance, releaseOf('webhook'), limits, { start: true, bind: true }),
  )
  assert.is(code, 1)
  assert.match(output, /last response from http:\/\/10.210.1.2:3000\/readyz: 500/)
  assert.ok(standing(host).bots.includes(green))
})

test('what runs and is only not bound to a boot is not stopped; compose makes it anew where its file was edited', async () => {
  const host = await hostWith('webhook')
  host.container('botgarden-hello-blue', { restart: 'no' })
  const { code, calls } = await host.run(
    restartScript(instance, releaseOf('webhook'), limits, { start: false, bind: true }),
  )
  assert.is(code, 0)
  assert.equal(standing(host).bots, [blue])
  assert.equal(
    calls.flatMap((call) => / (up|stop) /.exec(call)?.[1] ?? []),
    ['up'],
  )
})

test('secret variables are there while containers are created, for root alone, and nowhere afterwards', async () => {
  for (const fails of [[], ['compose .* up'], ['compose .* run']]) {
    const host = await hostWith('webhook')
    host.fails(...fails)
    const { code, output } = await host.run(switched('webhook', 'webhook', { references: { TG: '${token}' } }))
    assert.is(code, fails.length === 0 ? 0 : 1, output)
    if (fails.length === 0) assert.is(host.noted('variables'), '600\nTG="the-token"\n')
    assert.equal(host.list('/run/botgarden/variables'), [])
    assert.not.match(host.read('/opt/botgarden/bots/hello/green.yaml') + output, /the-token/)
  }
})

test('secret variables are filled in when a bot is started again', async () => {
  const host = await hostWith('webhook')
  const release = { ...releaseOf('webhook'), spec: { ...spec('webhook', 'hello:1'), references: { TG: '${token}' } } }
  const { code, output } = await host.run(restartScript(instance, release, limits, { start: true, bind: false }))
  assert.is(code, 0, output)
  assert.is(host.noted('variables'), '600\nTG="the-token"\n')
  assert.equal(host.list('/run/botgarden/variables'), [])
})

const own = { webhook: 'bot' } as const
const webhookInfo = (more: object) => JSON.stringify({ ok: true, result: { pending_update_count: 0, ...more } })
const setHere = { url: 'https://b.example.org/tg/hello' }

test('a bot that sets its webhook itself stops first, serves at once, and is recorded when Telegram has its URL', async () => {
  for (const oldSpec of [{}, own]) {
    const host = await hostWith('webhook')
    host.note('telegram/getWebhookInfo', webhookInfo(setHere))
    host.write(`${state}/webhook`, 'mark')
    const { code, output, calls } = await host.run(switched('webhook', 'webhook', own, { oldSpec }))
    assert.is(code, 0, output)
    assert.is(
      stepsOf(calls),
      'stop old, start new, ask its health, start new at boot, reload nginx, ask its health, record, not old at boot, stop old, remove old',
    )
    assert.equal(
      calls.filter((call) => /(set|delete)Webhook/.test(call)),
      [],
    )
    assert.not.ok(host.there(`${state}/webhook`), 'what we had set counts no more')
  }
})

test('one that sets none, or another, is taken back, and the one before has its webhook again', async () => {
  for (const [url, told] of [
    ['', 'none'],
    ['https:\\/\\/x.example.org/hook', 'https://x.example.org/hook'],
  ] as const) {
    const host = await hostWith('webhook')
    host.note('telegram/getWebhookInfo', `{"ok":true,"result":{"url":"${url}","pending_update_count":0}}`)
    const { code, output, calls } = await host.run(switched('webhook', 'webhook', own))
    assert.is(code, 1)
    assert.match(output, `the bot has not set its webhook to ${setHere.url} within 60 s: Telegram has ${told}`)
    assert.match(output, 'give it this URL by ${webhook.url}')
    assert.equal(standing(host).bots, [blue])
    assert.is(standing(host).served, 'blue')
    assert.match(calls.filter((call) => call.includes('Webhook')).at(-1) ?? '', 'setWebhook')
    assert.match(calls.join('\n'), /setWebhook[\s\S]*docker start botgarden-hello-blue/)
  }
})

test('whom nobody has to set it again for does so when it starts', async () => {
  const host = await hostWith('webhook')
  host.note('health', '503\n')
  const { code, calls } = await host.run(switched('webhook', 'webhook', own, { oldSpec: own }))
  assert.is(code, 1)
  assert.equal(
    calls.filter((call) => call.includes('Webhook')),
    [],
  )
  assert.equal(standing(host).bots, [blue])
})

test('a polling bot whose successor has set a webhook polls again without one', async () => {
  const host = await hostWith('polling')
  host.note('telegram/getWebhookInfo', webhookInfo({ url: '' }))
  const { code, calls } = await host.run(switched('polling', 'webhook', own))
  assert.is(code, 1)
  assert.match(calls.join('\n'), /deleteWebhook[\s\S]*docker start botgarden-hello-blue/)
})

test('that Telegram’s updates are refused is told with what mends it', async () => {
  const refused = { ...setHere, pending_update_count: 2, last_error_date: 99999999999 }
  const info = webhookInfo({ ...refused, last_error_message: 'Wrong response from the webhook: 401 Unauthorized' })
  for (const [more, advice] of [
    [own, 'the bot refuses what Telegram sends with the secret that it has set itself'],
    [{}, /give it \$\{webhook.secret\} .*, or set "webhook: bot"/],
  ] as const) {
    const host = await hostWith('webhook')
    host.note('telegram/getWebhookInfo', info)
    const { code, output } = await host.run(switched('webhook', 'webhook', more))
    assert.is(code, 1)
    assert.match(output, 'Telegram cannot deliver to the new version: Wrong response from the webhook: 401')
    assert.match(output, advice)
    assert.is(standing(host).served, 'blue')
  }
})

for (const commit of ['0123456789abcdef0123456789abcdef01234567', ''])
  test(`a release keeps ${commit === '' ? 'no commit where its source has none' : 'the commit of its source'}`, async () => {
    const host = await hostWith('webhook')
    const { code, output } = await host.run(switched('webhook', 'webhook', {}, { commit }))
    assert.is(code, 0, output)
    const record = parseRelease(host.read(`${state}/current.json`))
    assert.equal([record?.commit, record?.by], [commit === '' ? undefined : commit, policy.by])
  })

test.run()
