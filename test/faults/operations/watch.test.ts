// Needs a bare VPS of its own: `watched`, and the sandbox's Telegram. Faults of a host, each of which must be in the admin's chat within
// two minutes, and be told as resolved when it is mended.
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { removeVps, restartVps } from '../../../sandbox/index.ts'
import { inventoryOf, type Run, resultOf, run } from '../../support/runner.ts'
import { adminChat, partOf } from '../../support/vps/admin-chat.ts'
import { botHost } from '../../support/vps/bot-host.ts'
import { commonFaults, type HostFault, rarerFaults } from '../../support/vps/host-faults.ts'

const host = 'watched'
const { bots, tokens, hello, inside, beginWith, telegram, called } = botHost(host, ['hello-bot', 'admin-bot'])
const admin = adminChat(telegram, called('admin-bot'))
const chat = admin.texts
const domain = `${host}.sandbox`
const vars = {
  bot: { telegram: 'http://telegram.sandbox:8081', settle: 3, drain: 5 },
  nginx: { telegram: ['10.212.0.0/16'] },
  certbot: { server: 'https://pebble.sandbox:14000/dir', authority: '.sandbox/acme-ca.pem' },
  // Nobody opens what is taken here.
  backups: { recipients: ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'] },
}
const thresholds = { clockSeconds: 5, disk: 100, pending: 3 }
const watch = { chat: admin.id, token: { env: 'ADMIN_BOT_TOKEN' }, thresholds }
// Its worker does nothing, and its job fails where a file says so.
Object.assign(bots['hello-bot'] ?? {}, {
  data: { paths: ['/app/data'], shared: true },
  processes: { worker: { command: ['node', '-e', 'setInterval(() => {}, 1000)'], memory: '64m' } },
  jobs: {
    tick: { schedule: '0 5 1 1 *', command: ['node', '-e', 'process.exit(fs.existsSync("/app/data/fails") ? 3 : 0)'] },
  },
})
const file = (more: object = { watch }) =>
  inventoryOf(host, { ...vars, ...more }, { hosts: { [host]: { domain } }, bots })
const site = (more?: object, args: string[] = [], env: NodeJS.ProcessEnv = tokens) =>
  run(['playbooks/site.ts', '-i', file(more), '--json', ...args], env as Record<string, string>)
const done = (result: Run) => assert.is(result.code, 0, `${result.stdout}${result.stderr}`)
const nothing = (result: Run) => {
  const { changed, unknown, roundTrips, error } = resultOf(result, host)
  assert.equal({ changed, unknown, roundTrips, error }, { changed: 0, unknown: 0, roundTrips: 1, error: undefined })
}

/** Waits until the chat has a text that begins after so many; returns it. Only the host's timer starts runs meanwhile. */
async function told(after: number, said: RegExp): Promise<string> {
  for (let tries = 0; tries < 300; tries++) {
    const text = (await chat()).slice(after).find((each) => said.test(each))
    if (text !== undefined) return text
    await pause(2000)
  }
  return fail(after, said)
}

async function fail(after: number, said: RegExp): Promise<never> {
  const heard = (await chat()).slice(after).join('\n')
  const found = await inside('cat /run/botgarden/watch/found; journalctl -q -u botgarden-watch -n 20')
  throw new Error(`not told: ${said}\n${heard}\n${found}`)
}

test.before(() => beginWith({ file: file({}) }))
test.after(() => removeVps(host))

test('set-up sends a message, proves it by a mark, and is the same twice', async () => {
  await admin.begin()
  done(await hello(file({})))
  assert.match(
    await inside('/opt/botgarden/backups/backup >/dev/null; cat /opt/botgarden/backups/status.json'),
    /"result": *"ok"/,
  )
  const check = resultOf(await site(undefined, ['--check']), host)
  const first = await site()
  done(first)
  assert.equal([...resultOf(first, host).ids].sort(), [...check.ids, ...check.unknownIds].sort())
  assert.equal((await chat()).filter((text) => /botgarden watches watched/.test(text)).length, 1)
  nothing(await site())
  nothing(await site(undefined, [], {}))
  assert.equal((await chat()).length, 1)
})

test('a chat that refuses ends the run, and is asked again by the next', async () => {
  const refused = await site({ watch: { ...watch, chat: 12345678 } })
  assert.is(refused.code, 3, refused.stdout + refused.stderr)
  assert.match(refused.stdout + refused.stderr, /Telegram refuses: /)
  done(await site())
})

test('what is changed by hand is seen: the timer, the program, the mark', async () => {
  await inside(
    'systemctl disable --now botgarden-watch.timer; echo >>/opt/botgarden/watch/table.awk; rm /var/lib/botgarden/watch/proved',
  )
  const { ids } = resultOf(await site(), host)
  assert.equal([...ids].sort(), ['file:/opt/botgarden/watch/table.awk', 'unit:botgarden-watch.timer', 'watch:message'])
  nothing(await site())
})

/** Has a run follow, and looks for what it says; the timer starts one each minute as well. */
async function toldSoon(after: number, said: RegExp): Promise<string> {
  for (let tries = 0; tries < 8; tries++) {
    await inside('systemctl start botgarden-watch.service')
    const text = (await chat()).slice(after).find((each) => said.test(each))
    if (text !== undefined) return text
    await pause(3000)
  }
  return fail(after, said)
}

/** Waits until nothing is wrong: what is told already is not told again. */
async function calm(): Promise<void> {
  for (let tries = 0; tries < 30; tries++) {
    if ((await inside('systemctl start botgarden-watch.service; cat /run/botgarden/watch/found')) === '') return
    await pause(2000)
  }
  await fail(0, /nothing/)
}

async function tried({ what, breaks, said, mends, people }: HostFault): Promise<void> {
  await calm()
  const before = (await chat()).length
  await inside(breaks)
  await people?.(telegram())
  let since = before
  const alert = await toldSoon(before, said).finally(async () => {
    since = (await chat()).length
    await inside(mends)
  })
  const over = await toldSoon(since, new RegExp(`resolved: .*${said.source}`))
  const named = new RegExp(`^⚠️ ${host}: .*${said.source}.*\\n +since \\S+ \\S+ UTC\\n +next: \\S+`, 'm')
  assert.match(alert, named)
  process.stdout.write(`| ${what} | ${partOf(alert, said)} | ${partOf(over, said)?.replace(/.* · /, '')} |\n`)
}

test('ten faults at once: all told within two minutes by the timer alone, and resolved when they are mended', async () => {
  // Of those that can be at the same time.
  const ten = [...commonFaults(domain), ...rarerFaults(domain)].filter(({ what }) =>
    /worker|memory|disk|PostgreSQL|nginx is|poller|job|late|firewall is|reboot/.test(what),
  )
  assert.is(ten.length, 10)
  const before = (await chat()).length
  for (const { breaks } of ten) await inside(breaks)
  const broken = Number(await inside('date +%s'))
  let since = before
  const alerts = await Promise.all(ten.map(({ said }) => told(before, said))).finally(async () => {
    since = (await chat()).length
    for (const { mends } of ten) await inside(mends)
  })
  // By the host's clock: that of the run which told it, to the minute.
  for (const [i, { said, what }] of ten.entries()) {
    const [, at = ''] = /since (\S+ \S+) UTC/.exec(partOf(alerts[i] ?? '', said) ?? '') ?? []
    assert.ok(Date.parse(`${at}Z`) / 1000 <= broken + 120, `${what}: ${at}`)
  }
  await Promise.all(ten.map(({ said }) => told(since, new RegExp(`resolved: .*${said.source}`))))
})

// What a run says is all that is asked here; none may come between a fault and what mends it.
test('the timer is stopped', async () => {
  // And runs follow each other faster than systemd lets a service begin.
  await inside(
    'systemctl stop botgarden-watch.timer; d=/run/systemd/system/botgarden-watch.service.d; mkdir -p $d; printf "[Unit]\\nStartLimitIntervalSec=0\\n" >$d/often.conf; systemctl daemon-reload',
  )
})
for (const fault of [...commonFaults(domain), ...rarerFaults(domain)])
  test(`told, and resolved when mended: ${fault.what}`, () => tried(fault))

test('the timer is started', async () => void (await inside('systemctl start botgarden-watch.timer')))

test('a token that is revoked is told, and resolved by the new one', async () => {
  const before = (await chat()).length
  tokens.HELLO_BOT_TOKEN = (await telegram().revoke(called('hello-bot'))).token
  const said = /hello-bot: Telegram rejects its token/
  await toldSoon(before, said)
  done(await hello())
  await toldSoon(before, new RegExp(`resolved: .*${said.source}`))
})

test('a deadman is asked after each run, and not by a host that cannot tell its alerts', async () => {
  await inside('systemd-run --quiet --unit=deadman python3 -m http.server 9911 --bind 127.0.0.1')
  const pings = async () =>
    Number(await inside('journalctl --sync; journalctl -q -o cat -u deadman | grep -c "GET /ping" || :'))
  done(await site({ watch: { ...watch, deadman: 'http://127.0.0.1:9911/ping' } }))
  await inside('systemctl stop botgarden-watch.timer; systemctl start botgarden-watch.service')
  const before = await pings()
  assert.ok(before > 0)
  await inside(
    'echo "127.0.0.2 telegram.sandbox" >>/etc/hosts; touch /run/reboot-required; systemctl start botgarden-watch.service',
  )
  assert.is(await pings(), before)
  await inside(
    "sed '/127.0.0.2 telegram/d' /etc/hosts >/tmp/hosts; cat /tmp/hosts >/etc/hosts; rm /run/reboot-required; systemctl start botgarden-watch.timer botgarden-watch.service",
  )
  assert.ok((await pings()) > before)
})

test('Telegram away for some minutes: one message for all of it, and no secret in the journal', async () => {
  const before = (await chat()).length
  const runNow = () => inside('systemctl start botgarden-watch.service')
  await inside('echo "127.0.0.2 telegram.sandbox" >>/etc/hosts; touch /run/reboot-required')
  for (let i = 0; i < 2; i++) await runNow()
  await inside('docker stop botgarden-postgres')
  await runNow()
  assert.equal((await chat()).slice(before), [])
  await inside("sed '/127.0.0.2 telegram/d' /etc/hosts >/tmp/hosts; cat /tmp/hosts >/etc/hosts")
  await toldSoon(
    before,
    /it needs a reboot[\s\S]*botgarden-postgres is not running|botgarden-postgres is not running[\s\S]*it needs a reboot/,
  )
  assert.equal((await chat()).slice(before).length, 1)
  await inside('rm /run/reboot-required; docker start botgarden-postgres')
  await toldSoon(before, /resolved: .*botgarden-postgres/)
  const journal = await inside('journalctl -q --no-pager')
  for (const token of Object.values(tokens)) assert.not.ok(journal.includes(token))
})

test('it runs in little memory, leaves no line a minute, and no secret in an argument', async () => {
  // KiB of the largest of its processes, and seconds of CPU of all.
  const usage =
    "import resource, subprocess; subprocess.run(['/opt/botgarden/watch/watch']); r = resource.getrusage(resource.RUSAGE_CHILDREN); print(r.ru_maxrss, round(r.ru_utime + r.ru_stime, 2))"
  const runs: string[] = []
  for (let i = 0; i < 5; i++) runs.push(await inside(`python3 -c "${usage}"`))
  process.stdout.write(`KiB and seconds of a run: ${runs.join('; ')}\n`)
  assert.ok(
    runs.every((each) => Number(each.split(' ')[0]) < 24 * 1024),
    runs.join(),
  )
  const said = await inside(
    'journalctl -q -o cat -u botgarden-watch --since -3min | grep -c -e Starting -e Finished || :',
  )
  assert.is(said, '0')
  // What each program that a run starts is given.
  await inside(
    `for name in curl jq awk openssl; do printf '#!/bin/sh\n{ echo "%s $*"; env; } >>/run/seen\nexec /usr/bin/%s "$@"\n' $name $name >/usr/local/bin/$name; chmod 755 /usr/local/bin/$name; done; systemctl start botgarden-watch.service; rm /usr/local/bin/curl /usr/local/bin/jq /usr/local/bin/awk /usr/local/bin/openssl`,
  )
  const seenThere = await inside('cat /run/seen; rm /run/seen')
  assert.match(seenThere, /curl --silent/)
  for (const token of Object.values(tokens)) assert.not.ok(seenThere.includes(token))
})

test('after a boot nothing is told again, and without its key nothing is left of it', async () => {
  const before = (await chat()).length
  await restartVps(host)
  while ((await inside('cat /run/botgarden/watch/last 2>/dev/null || :')) === '') await pause(1000)
  await inside('systemctl start botgarden-watch.service')
  assert.not.match((await chat()).slice(before).join('\n'), '⚠️')
  done(await site({}))
  assert.is(
    await inside(
      'ls -d /opt/botgarden/watch /var/lib/botgarden/watch /run/botgarden/watch /etc/botgarden/secrets/watch-token /etc/systemd/system/botgarden-watch.* 2>/dev/null || :',
    ),
    '',
  )
  nothing(await site({}))
})

test.run()
