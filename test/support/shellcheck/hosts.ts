// What site.ts sends to a bare host, to one that differs in every way that has a script of its own, and to a converged one.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { question } from '../../../commands/mesh/ask.ts'
import { question as serverQuestion } from '../../../commands/standby/ask.ts'
import { sendSecrets, takeSecrets } from '../../../commands/standby/hand-over.ts'
import { degradation, promotion } from '../../../commands/standby/promote.ts'
import { resourcesOf } from '../../../lib/engine/collect-resources.ts'
import type { Facts } from '../../../lib/model/facts.ts'
import type { Resource } from '../../../lib/model/resource.ts'
import type { HostEntry, Role } from '../../../lib/model/role.ts'
import { freshCatalog, refused } from '../../../lib/platform/postgres-catalog.ts'
import { cron } from '../../../lib/resources/cron.ts'
import { directory, file } from '../../../lib/resources/file.ts'
import { generatedSecret } from '../../../lib/resources/generated-secret.ts'
import { group } from '../../../lib/resources/group.ts'
import { swapFile } from '../../../lib/resources/swap.ts'
import { runningUnit, unit } from '../../../lib/resources/unit.ts'
import { user } from '../../../lib/resources/user.ts'
import { relayScript } from '../../../lib/ssh/relay.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { allRoles, backups, base, certbot, docker, nginx, postgres, ufw, watch } from '../../../roles/index.ts'
import { noMesh } from '../../../roles/mesh/absent.ts'
import { meshRole } from '../../../roles/mesh/index.ts'
import { postgresRole } from '../../../roles/postgres/index.ts'
import { containerRules } from '../../../roles/ufw/containers.ts'
import { ufwRole } from '../../../roles/ufw/index.ts'
import { watchRole } from '../../../roles/watch/index.ts'
import { entry, facts } from '../fake-host.ts'
import { request, runScripts, type Shell, shell } from './scripts.ts'

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBdJpIl9BtGTmLGzCbbFBW1WzyVZGM8CyP0b6hTTkXyC ops'
const recipients = ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p']
const domain = 'b.example.org'
const stopped = { ...runningUnit, active: 'inactive', enabled: 'disabled' }
const effective = {
  ...{ port: ['22'], listenaddress: ['0.0.0.0:22'], permitrootlogin: ['yes'], pubkeyauthentication: ['yes'] },
  ...{ passwordauthentication: ['yes'], authenticationmethods: ['any'] },
}
const keyFile = { own: true, directory: 'absent', file: 'absent', keys: [] }
const tools = ['docker', 'dockerd', 'sshd', 'visudo', 'apt-config', 'age', 'sh']

const notInMesh = {
  ...{ kernel: false, tun: true, routes: [], ownKey: undefined, link: undefined },
  unit: { load: 'not-found', active: 'inactive', enabled: '' },
}
const stranger = { key: 'other', allowed: '0.0.0.0/0', keepalive: 'off', shared: true, endpoint: undefined }
const link = { addresses: ['10.214.0.1/16'], mtu: 1420, key: 'other', port: 1, peers: [stranger] }

/** A host of which nothing is ours yet, but whose programs are there to have candidates validated. */
const bare: Record<string, unknown> = {
  'sshd:config': {
    files: { '/etc/ssh/sshd_config': 'Include /etc/ssh/sshd_config.d/*.conf\n' },
    alone: {},
    whole: effective,
  },
  'user:root': { uid: 0, home: '/root', homeThere: true, shell: '/bin/bash', password: 'locked', groups: ['root'] },
  'user:ops': 'absent',
  'keys:ops': [{ ...keyFile, path: '/home/ops/.ssh/authorized_keys' }],
  'keys:root': [{ ...keyFile, path: '/root/.ssh/authorized_keys', directory: '0700 root', file: '0600 root' }],
  'unit:ssh.service': { ...runningUnit, needsReload: true },
  'unit:ssh.socket': stopped,
  'unit:apt-daily.timer': stopped,
  'unit:apt-daily-upgrade.timer': stopped,
  'unit:systemd-journald.service': runningUnit,
  'unit:containerd.service': stopped,
  'unit:docker.service': stopped,
  'sysctl:vm.swappiness': '60',
  'ufw:state': { settings: {}, rules: [], differences: [], containers: { ipv4: [], ipv6: [] }, obstacles: [] },
  'own-lineages:own': { lineages: ['old.example.org'], folders: [], sites: {} },
  'releases:bots': [],
  'mesh:state': notInMesh,
  'releases:moved': [],
  ...Object.fromEntries(tools.map((name) => [`program:${name}`, true])),
}

/** For each role of site.ts vars by which it plans all of its scripts; none: its defaults do. */
const vars = {
  base: { timezone: 'UTC', admin: { name: 'ops', keys: [key] }, sysctls: { 'vm.swappiness': 5 } },
  ufw: { allow: ['8080/tcp', '9000/udp from 192.0.2.0/24'] },
  docker: { registryMirrors: ['https://mirror.example.org'] },
  postgres: { settings: { work_mem: '9MB' } },
  nginx: {},
  certbot: { email: 'me@example.org' },
  bot: {},
  backups: { recipients, alert: { url: 'https://a.example', command: 'mail -s "a b" ops@example.org' } },
  mesh: { network: '10.214.0.0/16' },
  watch: { chat: 5, token: { env: 'WATCH_TOKEN' }, url: 'https://a.example/x', digest: '09:00' },
}

export function hostScripts(): Shell[] {
  const folder = mkdtempSync(join(tmpdir(), 'shellcheck-hosts-'))
  try {
    return [
      ...siteScripts(),
      ...domainScripts(),
      request('the question for the key of a mesh', question.text),
      request('the question for the server of a pair', serverQuestion(18).text),
      request('a promotion', promotion.text),
      request('a degradation', degradation.text),
      shell('the passwords of a primary', relayScript(sendSecrets, 'relay_source').text),
      shell('the passwords of a standby', relayScript(takeSecrets, 'relay_sink').text),
      ...differing(pairIn(folder)).flatMap(([what, resources, state]) =>
        runScripts(what, resources, { ...bare, ...state }),
      ),
      // The one kind that site.ts has no use for.
      ...runScripts('a group', [group('bots', { gid: 7 })], {}, { reads: true }),
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function siteScripts(): Shell[] {
  const host = { ...entry, domain, bots: [{ name: 'hello', where: 'x', settings: {} }] }
  const parsed = Object.fromEntries(
    allRoles.map((role) => [role.name, v.parse(role.vars, Object(vars)[role.name] ?? {})]),
  )
  const watching = watchRole({ telegram: 'https://api.telegram.org', token: new Secret('7000:a-token-of-a-bot') })
  const given = [watching, meshed(), ufwRole({ port: 51_820, doors: ['5432/tcp on mesh0'], ways: [] })]
  const roles = allRoles.map((role) => given.find(({ name }) => name === role.name) ?? role)
  const { resources } = resourcesOf(roles, parsed, { ...facts, ipv6: true }, host)
  return runScripts('site', resources, bare, { reads: true })
}

function meshed() {
  const inMesh = { network: '10.214.0.0/16', address: '10.214.0.1', port: 51_820, mtu: 1420, keepalive: undefined }
  const peer = { name: 'vps2', address: '10.214.0.2', endpoint: '192.0.2.2:51820', key: `${'A'.repeat(43)}=` }
  return meshRole({ mesh: { ...inMesh, peers: [peer] }, missing: [] })
}

function domainScripts(): Shell[] {
  const bots = [{ name: 'shop', where: 'x', settings: { domains: ['s.example.org', 't.example.org'] } }]
  const given = { nginx: v.parse(nginx.vars, {}), certbot: v.parse(certbot.vars, {}) }
  const { resources } = resourcesOf([nginx, certbot], given, facts, { ...entry, domain, bots })
  const there = { lineages: ['old.example.org'], folders: ['old.example.org'], sites: { gone: ['old.example.org'] } }
  return runScripts('domains of bots', resources, { ...bare, 'own-lineages:own': there }, { reads: true })
}

function differing(files: { fullchain: string; privkey: string }): [string, readonly Resource[], object][] {
  const { loaded } = containerRules([80, 443], [], [])
  const settings = { IPV6: 'yes', DEFAULT_INPUT_POLICY: 'ACCEPT', MANAGE_BUILTINS: 'no', ENABLED: 'yes' }
  const right = {
    ...settings,
    DEFAULT_INPUT_POLICY: 'DROP',
    DEFAULT_OUTPUT_POLICY: 'ACCEPT',
    DEFAULT_FORWARD_POLICY: 'DROP',
  }
  const ufwIs = (more: object) => ({
    'ufw:state': { settings, rules: [], differences: [], containers: loaded, obstacles: [], ...more },
    'package:ufw': { version: '0.36' },
    'unit:ufw.service': stopped,
  })
  const open = ['22', '25'].map((port) => `allow tcp ${port} 0.0.0.0/0 any 0.0.0.0/0 in`)
  const ops = { uid: 1001, home: '/home/ops', homeThere: false, shell: '/bin/sh', groups: ['ops'], password: 'set' }
  const plain = { type: 'file', mode: '0666', owner: 'nobody', group: 'nogroup' }
  const nginxNow = { current: true, whole: true, inForce: false }
  const container = { status: 'running', health: 'healthy', config: '', restart: 'always', memoryMB: 0, cpus: 0 }
  const catalog = { ...freshCatalog, pendingRestart: ['shared_buffers'] }
  const signed = { names: [], selfSigned: true, keyMatches: true, endsSoon: true, fingerprint: '' }
  const got = { server: 'https://acme-v02.api.letsencrypt.org/directory', names: [`DNS:${domain}`], fingerprint: 'new' }
  return [
    ['a container of another kind', of(base, vars.base, {}, { container: 'lxc' }), {}],
    ['an admin who is the one that logs in', of(base, vars.base, {}, { user: 'ops' }), { 'user:ops': ops }],
    [
      'a host that is watched no longer',
      of(watch, {}, {}, { timers: ['botgarden-watch.timer'] }),
      { 'file:/etc/systemd/system/botgarden-watch.timer': plain },
    ],
    [
      'a mesh that differs',
      of(meshed(), { network: '10.214.0.0/16' }),
      {
        'mesh:state': { ...notInMesh, link, unit: { load: 'loaded', active: 'active', enabled: 'disabled' } },
        'package:wireguard-tools': { version: '1.0' },
      },
    ],
    ['a host that leaves a mesh', [noMesh()], { 'file:/etc/wireguard/mesh0.conf': plain }],
    ['ufw without its chains', of(ufw, {}), ufwIs({ differences: ['ufw is not loaded'] })],
    ['ufw with rules of others', of(ufw, {}), ufwIs({ rules: open })],
    ['ufw that differs', of(ufw, {}), ufwIs({ settings: right, differences: ['ufw6 differs'] })],
    ['containers without rules', of(ufw, {}), ufwIs({ settings: right, containers: { ipv4: [], ipv6: [] } })],
    ['docker of another configuration', of(docker, {}), { 'unit:docker.service': runningUnit }],
    ['postgres of another configuration', of(postgres, {}), { 'postgres:catalog': catalog, ...running('postgres') }],
    ['postgres that refuses', of(postgres, {}), { 'postgres:catalog': refused, ...running('postgres') }],
    ['nginx of another configuration', of(nginx, {}, { domain }), { 'nginx:config': nginxNow, ...running('nginx') }],
    ['nginx torn', of(nginx, {}, { domain }), { 'nginx:config': { ...nginxNow, whole: false } }],
    [
      'containers that do not run as they should',
      of(nginx, {}, { domain }),
      { 'container:botgarden-nginx': { ...container, status: 'restarting', config: configOf(nginx) } },
    ],
    ...(['unhealthy', 'healthy'] as const).map((health): [string, readonly Resource[], object] => [
      `a container that is ${health} with a lost folder`,
      of(nginx, {}, { domain }),
      {
        'container:botgarden-nginx': {
          ...{ ...container, health, config: configOf(nginx) },
          stale: health === 'healthy' ? ['/opt/botgarden/nginx'] : [],
        },
      },
    ]),
    ['a self-signed certificate', of(certbot, {}), { 'certificate:192.0.2.1': signed }],
    ['an own certificate', of(certbot, { certificate: 'files', files }, { domain }), {}],
    [
      'an authority of its own',
      of(certbot, { server: 'https://a.example/dir', authority: files.fullchain, preflight: false }, { domain }),
      {},
    ],
    [
      'a certificate that is not in service',
      of(certbot, {}, { domain }),
      { [`lineage:${domain}`]: got, 'unit:certbot.timer': runningUnit },
    ],
    ...archives(),
    ...standbys(),
    ['no backups', of(backups, {}), { 'file:/etc/cron.d/botgarden-backups': plain }],
    ['a file of another mode', [file('/x y', { content: 'a' })], { 'file:/x y': { ...plain, sha256: sumOfA } }],
    ['a directory of another mode', [directory('/x')], { 'file:/x': { ...plain, type: 'directory' } }],
    ['a secret of another mode', [generatedSecret('/x')], { 'file:/x': { ...plain, mode: '0440' } }],
    ['a swap file that is not used', [swapFile('/swap', 9, facts)], { 'swap:/swap': { ...noSwap, fileMiB: 9 } }],
    ['a unit that runs', [unit('x.service', 'stopped')], { 'unit:x.service': runningUnit }],
    ['a user', [user('ops')], {}],
    ['an entry of cron', [cron('x', { schedule: '@daily', command: 'date +%s' })], {}],
  ]
}

/** The archive of WAL, sent to another machine, and its end. */
function archives(): [string, readonly Resource[], object][] {
  const to = { ssh: 'a@h.example', hostKey: 'ssh-ed25519 AAAA' }
  const continuous = { days: 9, to }
  const given = { backups: { recipients, continuous } }
  const timers = ['botgarden-archive.timer']
  const plain = { type: 'file', mode: '0666', owner: 'nobody', group: 'nogroup' }
  const timer = { 'file:/etc/systemd/system/botgarden-archive.timer': plain }
  return [
    ['an archive of WAL', of(backups, given.backups, { vars: given }), { 'postgres:catalog': freshCatalog }],
    ['a server whose WAL is archived', of(postgres, {}, { vars: given }), {}],
    ['no archive any more', of(postgres, {}, {}, { timers }), { 'postgres:catalog': freshCatalog, ...timer }],
  ]
}

/** A server that is followed, one that follows, and the end of both. */
function standbys(): [string, readonly Resource[], object][] {
  const network = { address: '10.214.0.1', remotes: [{ role: 'botgarden-standby', from: '10.214.0.2' }] }
  const source = {
    ...{ askedAt: '2026-11-26T12:00:00.000Z', cluster: '7', bytes: 9, slot: 'lost' as const, isRecorded: true },
    ...{ superuser: sumOfA, password: sumOfA },
  } as const
  const pair = { other: { name: 'vps2', address: '10.214.0.2' }, connections: 60 }
  const given = (role: Role, more: Partial<Facts> = {}) => of(role, {}, {}, more)
  const plain = { type: 'file', mode: '0666', owner: 'nobody', group: 'nogroup' }
  const timer = { 'file:/etc/systemd/system/botgarden-watch-standby.timer': plain }
  const waits = { vars: { postgres: { synchronous: true } } }
  return [
    [
      'a primary',
      given(postgresRole({ network, pair: { ...pair, is: 'primary', synchronous: true } })),
      { 'postgres:catalog': freshCatalog },
    ],
    [
      'commits that wait no more',
      given(postgresRole({ network, pair: { ...pair, is: 'primary', synchronous: false } })),
      { 'postgres:catalog': freshCatalog, 'file:/opt/botgarden/postgres/conf/synchronous.conf': plain },
    ],
    [
      'a standby',
      given(postgresRole({ network, pair: { ...pair, is: 'standby', source } })),
      { 'postgres:catalog': freshCatalog },
    ],
    [
      'no standby any more',
      given(postgres, { mesh: true }),
      {
        'postgres:catalog': freshCatalog,
        'server-data:18': { cluster: '7', follows: false, databases: 1, copied: '' },
        'file:/sys/class/net/br-db-mesh': { ...plain, type: 'symbolic link' },
        'file:/etc/botgarden/secrets/postgres/standby': { ...plain, type: 'directory' },
      },
    ],
    ['a watch for whom commits wait', of(watch, { url: 'https://a.example/x' }, waits), {}],
    ['a watch for whom none wait', of(watch, {}, {}, { timers: ['botgarden-watch-standby.timer'] }), timer],
  ]
}

const noSwap = { active: {}, fileMiB: 0, freeMiB: 20_000 }
const sumOfA = 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'

function of(role: Role, given: object, host: Partial<HostEntry> = {}, more: Partial<Facts> = {}) {
  return role.resources(v.parse(role.vars, given), { ...facts, ...more }, { ...entry, ...host })
}

function running(name: 'nginx' | 'postgres') {
  const state = { status: 'running', health: 'healthy', restart: 'always', memoryMB: 0, cpus: 0 }
  const role = name === 'nginx' ? nginx : postgres
  const made = { type: 'file', mode: '0400', owner: '999', group: '999' }
  return {
    [`container:botgarden-${name}`]: { ...state, config: configOf(role) },
    'file:/etc/botgarden/secrets/postgres/superuser': made,
  }
}

/** What its container says that it was made from. */
function configOf(role: Role): unknown {
  return of(role, {}, { domain }).find(({ id }) => id.startsWith('container:'))?.wants
}

function pairIn(folder: string): { fullchain: string; privkey: string } {
  const [privkey, fullchain] = [join(folder, 'key.pem'), join(folder, 'chain.pem')]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  const options = ['req', '-x509', ...curve, '-noenc', '-subj', `/CN=${domain}`, '-keyout', privkey, '-out', fullchain]
  execFileSync('openssl', options, { stdio: 'ignore' })
  return { fullchain, privkey }
}
