import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { parse } from 'yaml'
import { serviceFile } from '../../../roles/bot/release/compose-file.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import { bot } from '../../../roles/index.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { idsOf, planOf } from '../../support/plan-of.ts'
import { place } from '../../support/release-policy.ts'

const path = '/etc/ssl/certs/ca-certificates.crt'
const spec = specOf('hello:1', {}, { environment: { SSL_CERT_FILE: '/own.pem' } })
const seat = {
  ...{ bot: 'hello', number: 3, ...place },
}
const serviceOf = (caFile: string | undefined) =>
  parse(serviceFile({ ...seat, ...(caFile && { caFile }) }, 'blue', spec, { memoryMB: 160, cpus: 1 }).text).services[
    'botgarden-hello-blue'
  ]
const resources = (vars: object) =>
  bot.resources(v.parse(bot.vars, vars), facts, {
    ...entry,
    bots: [{ name: 'hello', settings: {}, where: 'bots.hello' }],
  })

test('bots read the file by the variables that Node, OpenSSL and requests know; their own win', () => {
  const { environment, volumes } = serviceOf(path)
  const target = '/run/ca-certificates.crt'
  assert.equal([environment.NODE_EXTRA_CA_CERTS, environment.REQUESTS_CA_BUNDLE], [target, target])
  assert.is(environment.SSL_CERT_FILE, '/own.pem')
  const mounts = volumes.map(({ source, target, read_only }: Mount) => [source, target, read_only])
  assert.equal(mounts.at(-1), [path, target, true])
})
interface Mount {
  readonly source: string
  readonly target: string
  readonly read_only: boolean
}

test('without the key a bot is as it was', () => {
  const { environment, volumes } = serviceOf(undefined)
  assert.is(volumes.length, 2)
  for (const name of ['NODE_EXTRA_CA_CERTS', 'REQUESTS_CA_BUNDLE']) assert.not(name in environment)
  assert.not(idsOf(resources({})).some((id) => id.startsWith('ca-file:')))
})

for (const [what, state, message] of [
  ['is not there', 'absent', `bot.caFile: this host has no file ${path}; put it there, or leave the key out`],
  [
    'is a directory',
    { type: 'directory', mode: '0755' },
    `bot.caFile: ${path} is a directory on this host, not a file`,
  ],
  [
    'only root reads',
    { type: 'file', mode: '0600' },
    `bot.caFile: bots cannot read ${path}; run on this host: chmod a+r ${path}`,
  ],
] as const)
  test(`refuses a file that ${what}`, () => {
    const own = resources({ caFile: path }).filter(({ id }) => id === `ca-file:${path}`)
    assert.throws(
      () => planOf(own, { [`file:${path}`]: state }),
      (error: Error) => error.message === message,
    )
  })

test('a file that bots can read is nothing to do', () => {
  const own = resources({ caFile: path }).filter(({ id }) => id === `ca-file:${path}`)
  assert.equal(planOf(own, { [`file:${path}`]: { type: 'file', mode: '0644' } }), [])
})

test.run()
