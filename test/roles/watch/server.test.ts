// What the program that watches a host makes of the words of nginx and PostgreSQL.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { nginxChecksums } from '../../../lib/platform/nginx.ts'
import { watchedHost } from './watched-host.ts'

test('5xx are told by bot, and names that a client has made up are not', async () => {
  const host = watchedHost()
  const line = (bot: string, status: number) =>
    `{"time":"x","host":"evil\\"bot","uri":"/tg/${bot}","bot":"${bot}","status":${status},"bytes":1}\n`
  host.note('log.nginx', line('hello', 502).repeat(4))
  assert.is(await host.sent(), '', 'fewer than 5')
  host.note('log.nginx', line('hello', 502) + line('hello', 200).repeat(46))
  assert.is(await host.sent(), '', '5 of 51 are fewer than 10 percent')
  host.note('log.nginx', '')
  assert.is(await host.sent(6), '')
  host.note(
    'log.nginx',
    [line('hello', 502).repeat(6), line('hello', 200).repeat(20), line('made-up', 404).repeat(50), 'no json\n'].join(
      '',
    ),
  )
  assert.match(await host.sent(), /hello: 6 of 26 updates were answered with 5xx/)
  host.note('log.nginx', line('hello', 200))
  assert.is(await host.sent(), '')
  assert.match(await host.sent(6), /resolved/)
  host.note('log.nginx', line('made-up', 500).repeat(9))
  const said = await host.sent()
  assert.match(said, /9 of 9 requests of pages/)
  assert.not.match(said, 'made-up')
})

test('connections that PostgreSQL refuses are told, and those of bots that say so are not', async () => {
  const host = watchedHost()
  const line = (text: string) => `2026-11-26 09:00:00.123 UTC hello@hello FATAL:  ${text}\n`
  host.note(
    'log.postgres',
    line('too many connections for role "hello"').repeat(2) + line('password authentication failed').repeat(9),
  )
  assert.is(await host.sent(), '')
  host.note('log.postgres', line('sorry, too many clients already'))
  assert.match(await host.sent(), /PostgreSQL has refused 3 connections within 5 minutes: too many are open/)
  host.note('log.postgres', '')
  host.note('log.nginx', line('sorry, too many clients already').repeat(9))
  assert.match(await host.sent(6), /resolved: PostgreSQL has refused/)
})

test('a configuration that nginx refuses is told without what stands in its quotes', async () => {
  const host = watchedHost()
  host.note('log.nginx', '2026/11/26 09:00:00 [emerg] 1#1: unknown directive "the-secret" in /x/own/a.conf:3\n')
  const said = await host.sent()
  assert.match(said, /nginx refuses its configuration: unknown directive "…" in \/x\/own\/a\.conf:3\n/)
  host.note('log.nginx', '')
  assert.is(await host.sent(), '')
  assert.match(await host.sent(5), /resolved: nginx refuses/)
})

test('an nginx that does not run what is in its folder is told', async () => {
  const host = watchedHost()
  host.write('/opt/botgarden/nginx/conf/nginx.conf', 'events {}\n')
  host.write('/opt/botgarden/nginx/running', '')
  const sum = async () =>
    (await host.run(`${nginxChecksums.text}\nnginx_checksum /opt/botgarden/nginx/conf`)).stdout.trim()
  host.note('says', await sum())
  assert.is(await host.sent(), '')
  host.write('/opt/botgarden/nginx/conf/own/a.conf', 'nonsense;\n')
  assert.match(await host.sent(), /nginx does not run the configuration in \/opt\/botgarden\/nginx\/conf/)
  host.note('says', '')
  assert.is(await host.sent(), '', 'one that is down is not told again by this')
  host.note('says', await sum())
  assert.match(await host.sent(), /resolved: nginx does not run/)
})

test.run()
