import { setTimeout as pause } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { askStandIns, freshVps, inVps, removeVps, telegramControlUrl } from '../../../sandbox/index.ts'
import { type TelegramClient, telegramAt } from '../../../sandbox/telegram/client.ts'
import { inventoryOf, type Run, resultOf, run, start } from '../runner.ts'
import { vars } from './bot-host.ts'
import { installRecorder, ranOnBoth } from './recorder.ts'

/** Two VPSs of the sandbox, `NAME-one` and `NAME-two`, and bots that are on the first one and are moved. */
export function twoHosts(name: string, bots: (one: string, two: string) => Readonly<Record<string, object>>) {
  const [one, two] = [`${name}-one`, `${name}-two`]
  const hosts = [one, two] as const
  const entries = bots(one, two)
  const env: Record<string, string> = {}
  let telegram: TelegramClient
  // The sandbox's Telegram remembers earlier runs.
  const called = (bot: string) => `${name}-${process.pid}-${bot}`
  const file = inventoryOf(
    one,
    { ...vars, bot: { ...vars.bot, settle: 1, drain: 1 } },
    { hosts: Object.fromEntries(hosts.map((host) => [host, { domain: `${host}.sandbox` }])), bots: entries },
  )
  const other = (host: string) => (host === one ? two : one)
  const site = () => run(['playbooks/site.ts', '-i', file, '--json', '--wait'], env)
  const command = (bot: string, ...args: string[]) => ['playbooks/bot.ts', '-i', file, '--name', bot, '--wait', ...args]
  const bot = (which: string, ...args: string[]) => run(command(which, ...args), env)
  const moved = async (which: string, to: string): Promise<Run> => {
    const result = await bot(which, '--move-to', to)
    assert.is(result.code, 0, `${result.stdout}${result.stderr}`)
    return result
  }
  /** What a command prints on a host, however it ends. The engine of a busy machine does not begin each one. */
  const on = async (host: string, text: string): Promise<string> => {
    for (let tries = 0; ; tries++) {
      const { status, stdout, stderr } = await inVps(host, text)
      if (!/OCI runtime exec failed|is not running/.test(stderr + stdout) || tries === 5) return stdout.trim()
      assert.ok(status !== 0)
      await pause(1000)
    }
  }
  const running = (host: string, which: string) =>
    on(host, `docker ps --format '{{.Names}}' | grep -E '^botgarden-${which}[-.]' || :`)

  async function begin(standIns: readonly string[] = []): Promise<void> {
    if (standIns.length > 0) await askStandIns(standIns)
    for (const host of hosts) await freshVps(host)
    telegram = telegramAt(await telegramControlUrl())
    for (const which of Object.keys(entries))
      env[`${which.toUpperCase().replaceAll('-', '_')}_TOKEN`] = (await telegram.ensureBot(called(which))).token
    for (const args of [
      ['playbooks/site.ts', '-i', file],
      ['playbooks/bot.ts', '-i', file, '--all'],
    ]) {
      const { code, stdout, stderr } = await run(args, env)
      if (code !== 0) {
        process.stdout.write(`${stdout}${stderr}`)
        throw new Error(`${args}: exit code ${code}`)
      }
    }
    for (const host of hosts) await installRecorder(host)
  }

  const end = async () => {
    for (const host of hosts) await removeVps(host)
  }

  /** Does something, and then looks whether both hosts have run the bot at the same time meanwhile. */
  async function neverTwice<T>(which: string, act: () => Promise<T>): Promise<T> {
    const since = Date.now()
    const done = await act()
    const [first = '', second = ''] = await Promise.all(hosts.map((host) => on(host, 'cat /var/tmp/runs')))
    assert.equal(ranOnBoth(which, first, second, since), [], 'both hosts have run it at the same time')
    return done
  }

  async function answers(which: string) {
    const chat = Math.floor(Math.random() * 1e9) + 1e9
    await telegram.act(called(which), { chat, text: '/start', language: 'en' })
    // The server waits for what comes after the entries that it is told of.
    let after = 0
    for (const end = performance.now() + 90_000; performance.now() < end; ) {
      const said = await telegram.chat(called(which), chat, { after, wait: 5 })
      if (said.some(({ from }) => from === 'bot')) return
      after = Math.max(after, ...said.map(({ seq }) => seq))
    }
    const { pending, webhook, deliveries } = await telegram.report(called(which))
    const logs = await Promise.all(
      hosts.map((host) =>
        on(
          host,
          `docker ps --all --format '{{.Names}} {{.Status}}' --filter label=botgarden.bot=${which}; docker ps --quiet --filter label=botgarden.bot=${which} | xargs -r -n 1 docker logs --tail 20 2>&1; tail -n 5 /var/log/nginx/*.log 2>/dev/null; date`,
        ),
      ),
    )
    assert.unreachable(
      `${which} does not answer: ${JSON.stringify({ pending, webhook, deliveries: deliveries.slice(-5) })}\n${logs.join('\n')}`,
    )
  }

  /** It runs on this host and answers, nothing of it runs on the other one, and nothing is left of what was under way. */
  async function servesOnly(which: string, host: string, where = '', isAsked = true) {
    assert.match(await running(host, which), /-(blue|green)$/m, `${where}: it runs on ${host}`)
    assert.is(await running(other(host), which), '', `${where}: nothing of it runs on ${other(host)}`)
    if (isAsked) await answers(which)
    for (const each of hosts)
      assert.is(
        await on(
          each,
          `ls -d /run/botgarden/relay.* /var/lib/botgarden/bots/*/stopped /var/lib/botgarden/bots/*/move.dump 2>/dev/null || :`,
        ),
        '',
        `${where}: what is left on ${each}`,
      )
  }

  async function unchanged() {
    const ran = await site()
    for (const host of hosts) {
      const result = resultOf(ran, host)
      assert.equal([result.error, result.changed, result.unknown], [undefined, 0, 0], `${host}: ${result.ids}`)
    }
  }

  return {
    ...{ one, two, hosts, other, file, env, called, begin, end, site, command, bot, moved, on, running },
    ...{ neverTwice, answers, servesOnly, unchanged },
    begins: (which: string, ...args: string[]) => start(command(which, ...args), env),
    telegram: () => telegram,
  }
}

/** For how long a bot that was moved has answered nothing, in seconds, as the run says. */
export function gapOf({ stderr }: Run): number {
  return Number(/it answered nothing for ([\d.]+) s/.exec(stderr)?.[1])
}
