// What a plan says of the state after it is what the next plan wants to find: else a check would promise too much, or a run
// that did what it said would end in «did not converge».
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import type { Facts } from '../../lib/model/facts.ts'
import type { HostEntry, Role } from '../../lib/model/role.ts'
import { freshCatalog } from '../../lib/platform/postgres-catalog.ts'
import { runningUnit } from '../../lib/resources/unit.ts'
import { Secret } from '../../lib/std/secret.ts'
import { botRole } from '../../roles/bot/index.ts'
import { specOf } from '../../roles/bot/spec/spec.ts'
import { backups, base, certbot, docker, nginx, postgres, ufw, watch } from '../../roles/index.ts'
import { entry, facts } from '../support/fake-host.ts'
import { planOf, stateAfter } from '../support/plan-of.ts'

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBdJpIl9BtGTmLGzCbbFBW1WzyVZGM8CyP0b6hTTkXyC ops'
const stopped = { ...runningUnit, active: 'inactive', enabled: 'disabled' }
const sshd = {
  ...{ port: ['22'], listenaddress: ['0.0.0.0:22'], permitrootlogin: ['yes'], pubkeyauthentication: ['yes'] },
  ...{ passwordauthentication: ['yes'], authenticationmethods: ['any'] },
}
const login = {
  'sshd:config': {
    files: { '/etc/ssh/sshd_config': 'Include /etc/ssh/sshd_config.d/*.conf\n' },
    alone: {},
    whole: sshd,
  },
  'user:root': { uid: 0, home: '/root', homeThere: true, shell: '/bin/bash', password: 'locked', groups: ['root'] },
  'user:ops': 'absent',
  'keys:ops': [{ path: '/home/ops/.ssh/authorized_keys', own: true, directory: 'absent', file: 'absent', keys: [] }],
  'keys:root': [{ path: '/root/.ssh/authorized_keys', own: true, directory: '0700 root', file: '0600 root', keys: [] }],
  'unit:ssh.service': { ...runningUnit, needsReload: true },
  'unit:ssh.socket': stopped,
  'unit:apt-daily.timer': stopped,
  'unit:apt-daily-upgrade.timer': stopped,
  'unit:systemd-journald.service': runningUnit,
  'package:sudo': 'half',
}
const nothing = { settings: {}, rules: [], differences: [], containers: { ipv4: [], ipv6: [] }, obstacles: [] }
const delivery = {
  ...{ spec: specOf('hello:1', {}, { migrate: ['m'] }), manifest: {}, context: undefined, pull: true },
  ...{ token: new Secret('1:a-token-of-a-bot'), secrets: new Map([['KEY', new Secret('value-of-it')]]), by: 'me' },
}
const bots = [{ name: 'hello', where: 'x', settings: {} }]
const botState = {
  ...{ 'postgres:catalog': freshCatalog, 'allocations:bots': {}, 'routes:ipv4': [], 'token-owners:bots': {} },
  ...{
    'free-capacity:host': { totalMB: 2000, memoryMB: 1000, diskMB: 9000 },
    'releases:bots': [],
    'releases:moved': [],
  },
  'nginx:config': { current: true, whole: true, inForce: true },
  'webhook:hello https://api.telegram.org ask': { mark: '', answer: 'not asked' },
}

const cases: [
  what: string,
  role: Role,
  vars: object,
  state: object,
  host?: Partial<HostEntry>,
  more?: Partial<Facts>,
][] = [
  [
    'base',
    base,
    { timezone: 'UTC', admin: { name: 'ops', keys: [key] }, sysctls: { 'vm.swappiness': 5 } },
    { ...login, 'sysctl:vm.swappiness': '60' },
  ],
  ['base on Ubuntu', base, { timezone: 'UTC' }, login, {}, { os: 'ubuntu' }],
  ['ufw', ufw, { allow: ['8080/tcp'] }, { 'ufw:state': nothing }],
  ['docker', docker, {}, { 'unit:containerd.service': stopped, 'unit:docker.service': stopped }],
  ['postgres', postgres, { settings: { work_mem: '9MB' } }, {}],
  ['nginx', nginx, {}, {}, { domain: 'b.example.org' }],
  ['nginx on an address', nginx, {}, {}],
  [
    'certbot',
    certbot,
    {},
    { 'own-lineages:own': { lineages: ['old.example.org'], folders: [], sites: {} } },
    { domain: 'b.example.org' },
  ],
  [
    'certbot with a domain that is gone',
    certbot,
    {},
    {
      'own-lineages:own': { lineages: ['old.example.org'], folders: ['old.example.org', 'b'], sites: { gone: ['b'] } },
    },
    { bots: [{ name: 'shop', where: 'x', settings: { domains: ['s.example.org'] } }] },
  ],
  [
    'certbot for itself',
    certbot,
    {},
    { 'certificate:192.0.2.1': { names: [], selfSigned: true, keyMatches: true, endsSoon: true, fingerprint: '' } },
  ],
  [
    'backups',
    backups,
    {
      recipients: ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'],
      alert: { url: 'https://a.example' },
    },
    {},
  ],
  ['no backups', backups, {}, { 'file:/etc/cron.d/botgarden-backups': { type: 'file' } }],
  ['watch', watch, { url: 'https://a.example/x' }, {}],
  [
    ...(['no watch', watch, {}, { 'file:/etc/systemd/system/botgarden-watch.timer': { type: 'file' } }, {}] as const),
    { timers: ['botgarden-watch.timer'] },
  ],
  ['a bot', botRole(new Map([['hello', delivery]])), {}, botState, { domain: 'b.example.org', bots }],
  [
    'a bot that polls',
    botRole(new Map([['hello', { ...delivery, spec: { ...delivery.spec, mode: 'polling' as const } }]])),
    {},
    botState,
    { bots },
  ],
]

for (const [what, role, vars, state, host = {}, more = {}] of cases)
  test(`what a plan leaves needs no other: ${what}`, () => {
    const resources = role.resources(v.parse(role.vars, vars), { ...facts, ...more }, { ...entry, ...host })
    const before = state as Record<string, unknown>
    assert.ok(planOf(resources, before).length > 0)
    const after = stateAfter(resources, before)
    assert.equal(planOf(resources, after), [])
  })

test.run()
