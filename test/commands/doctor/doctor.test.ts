import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { alertVerdict } from '../../../commands/doctor/alert-promise.ts'
import type { HostVerdicts } from '../../../commands/doctor/host-doctor.ts'
import { doctor } from '../../../commands/doctor/index.ts'
import { doctorText } from '../../../commands/doctor/text.ts'
import { sh } from '../../../lib/shell/sh.ts'
import type { Connection } from '../../../lib/ssh/connection.ts'
import { plain } from '../../../lib/std/colour.ts'
import { commands } from '../../support/doctor/recorded.ts'
import { errorOf } from '../../support/errors.ts'
import { countedConnection } from '../../support/fake-host.ts'
import { statusHost, statusSession } from '../../support/status/host.ts'

const host = statusHost(['hello'])
const examined: HostVerdicts = {
  ...{ host: 'vps1', roundTrips: 2, exitCode: 3 },
  verdicts: [
    { id: 'firewall', promise: 'the firewall is on', result: 'kept' },
    { id: 'alert', promise: 'an alert arrives', result: 'skipped', why: 'no alerts\nare set up' },
    {
      ...{ id: 'bot-host', bot: 'hello', promise: 'reaches no port of its host', result: 'broken' },
      faults: [{ what: 'reached port 22\nvps1  ✓ fine', mend: 'npx zx playbooks/site.ts --tags ufw' }],
    },
  ],
}

test('a promise is a line; under a broken one what was seen and the command, whatever a host says', () => {
  assert.is(
    doctorText([examined], plain),
    `vps1
  ✓ the firewall is on
  – an alert arrives: no alerts\\nare set up
  ✗ hello reaches no port of its host
      reached port 22\\nvps1  ✓ fine
      mend: npx zx playbooks/site.ts --tags ufw

1 kept, 1 broken, 1 not tried`,
  )
  const lost = { host: 'vps2', verdicts: [], roundTrips: 0, exitCode: 4, lost: { what: 'no route', mend: 'x' } }
  assert.match(doctorText([examined, lost], plain), /vps2\n {2}✗ no route\n {6}mend: x\n\n.*; 1 of 2 hosts not asked$/)
})

const asked = (options: object) =>
  errorOf(doctor(statusSession([host], () => assert.unreachable('a host was asked') as never, { options })))
const own = (...flags: [string, string[]][]) => ({ own: new Map(flags) })

test('what means nothing here is refused before any host is asked', async () => {
  for (const [options, said] of [
    [{ check: true }, /has no --check: it changes nothing/],
    [{ diff: true }, /has no --diff/],
    [{ showSecrets: true }, /has no --show-secrets/],
    [own(['name', ['helo']]), /--name helo: no selected host has that bot.*hello/],
    [own(['name', ['hello']], ['all-ports', ['']]), /--name and --all-ports cannot be combined/],
    [own(['name', ['hello']], ['identity', ['x']]), /--name and --identity cannot be combined/],
    [own(['identity', ['/no/such/key.txt']]), /--identity \/no\/such\/key.txt: cannot be read/],
    [own(['identity', [import.meta.filename]]), /has no line AGE-SECRET-KEY-1/],
  ] as const) {
    const error = await asked(options)
    assert.is((error as { exitCode?: number }).exitCode, 1)
    assert.match(error.message, said)
  }
})

test('an alert is sent by what the host has for it, and one that is refused is broken', async () => {
  const answering = (status: number, said: string): Connection =>
    countedConnection(async (_, { text }) => {
      text?.(Buffer.from(said))
      return status
    })
  const of = (connection: Connection, prove = () => sh`prove`) => alertVerdict(host, connection, prove, commands)
  assert.is((await of(answering(0, ''))).result, 'kept')
  assert.match(
    JSON.stringify(await of(answering(1, 'x\nTelegram: chat not found\n'))),
    /not taken: Telegram: chat not found/,
  )
  assert.is((await alertVerdict(host, answering(0, ''), () => undefined, commands)).result, 'skipped')
})

test.run()
