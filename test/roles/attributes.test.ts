// Who may read and write what the roles lay on a host: everything is root's and for all to read, but for this list.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import type { Resource } from '../../lib/model/resource.ts'
import type { Role } from '../../lib/model/role.ts'
import { Secret } from '../../lib/std/secret.ts'
import { botRole } from '../../roles/bot/index.ts'
import { specOf } from '../../roles/bot/spec/spec.ts'
import { backups, base, certbot, docker, nginx, postgres, ufw } from '../../roles/index.ts'
import { meshRole } from '../../roles/mesh/index.ts'
import { entry, facts } from '../support/fake-host.ts'

const closed: Record<string, string> = {
  '/opt/botgarden/bots': '0700 root',
  '/etc/botgarden': '0700 root',
  '/etc/botgarden/registry': '0700 root',
  '/etc/botgarden/registry/r.example.org': '0700 root',
  '/etc/botgarden/secrets': '0700 root',
  '/etc/botgarden/secrets/backup-signing-key': '0400 root',
  '/etc/botgarden/secrets/bots': '0700 root',
  '/etc/botgarden/secrets/bots/hello': '0500 20001',
  '/etc/botgarden/secrets/bots/hello/database-password': '0400 20001',
  '/etc/botgarden/secrets/bots/hello/webhook-secret': '0400 20001',
  '/etc/botgarden/secrets/postgres': '0700 999',
  '/etc/botgarden/secrets/postgres/server.pem': '0400 999',
  '/etc/botgarden/secrets/postgres/superuser': '0400 999',
  '/etc/botgarden/tls': '0700 root',
  '/etc/botgarden/tls/b.example.org': '0700 root',
  '/etc/aide/aide.conf': '0600 root',
  '/etc/sudoers.d/botgarden-admin': '0440 root',
  '/etc/wireguard/mesh0.conf': '0600 root',
  '/etc/wireguard/mesh0.key': '0400 root',
  '/etc/ufw/after.init': '0750 root',
  '/opt/botgarden/backups/settings': '0600 root',
  '/var/lib/botgarden': '0700 root',
  '/var/lib/botgarden/backups': '0700 root',
  '/var/lib/botgarden/bots': '0700 root',
  '/var/lib/botgarden/postgres': '0700 999',
  '/run/botgarden/postgres': '3775 999',
}
/** What somebody runs. */
const programs = [
  '/etc/letsencrypt/renewal-hooks/deploy/botgarden',
  '/opt/botgarden/certbot/serve',
  '/opt/botgarden/backups/backup',
]

const host = { ...entry, domain: 'b.example.org', bots: [{ name: 'hello', where: 'x', settings: {} }] }
const delivery = {
  ...{ spec: specOf('r.example.org/hello:1', {}, {}), manifest: {}, context: undefined, pull: true, by: 'me' },
  ...{ token: new Secret('1:a-token-of-a-bot'), secrets: new Map() },
  logins: [{ registry: 'r.example.org', username: 'me', password: new Secret('pass-of-mine') }],
}
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBdJpIl9BtGTmLGzCbbFBW1WzyVZGM8CyP0b6hTTkXyC ops'
const inMesh = { network: '10.214.0.0/16', address: '10.214.0.1', port: 51_820, mtu: 1420, keepalive: undefined }
const meshed = meshRole({ mesh: { ...inMesh, peers: [] }, missing: [] })
const roles: [role: Role, vars: object][] = [
  [base, { timezone: 'UTC', admin: { name: 'ops', keys: [key] } }],
  [meshed, { network: '10.214.0.0/16' }],
  [ufw, {}],
  [docker, {}],
  [postgres, {}],
  [nginx, {}],
  [certbot, { authority: 'package.json' }],
  [backups, { recipients: ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'] }],
  [botRole(new Map([['hello', delivery]])), {}],
]
const all = roles.flatMap(([role, vars]) => role.resources(v.parse(role.vars, vars), facts, host))

/** Path, and mode with owner, of what has these. */
const attributed = (resources: readonly Resource[]) =>
  resources.flatMap(({ id, wants }) => {
    const [, kind, path] = /^(file|directory|secret):(\/.*)$/.exec(id) ?? []
    const { mode, owner, group } = wants as { mode?: string; owner?: string; group?: string }
    return path === undefined || mode === undefined ? [] : [{ kind, path, is: `${mode} ${owner}`, owner, group }]
  })

for (const { kind, path, is, owner, group } of attributed(all))
  test(`${path} is ${closed[path] ? 'closed' : 'for all to read'}`, () => {
    const open = kind === 'directory' || programs.includes(path) ? '0755 root' : '0644 root'
    assert.is(is, closed[path] ?? open)
    assert.is(group, owner)
  })

test('all that is listed here is there', () => {
  const paths = attributed(all).map(({ path }) => path)
  for (const path of [...Object.keys(closed), ...programs]) assert.ok(paths.includes(path), path)
})

test('what opens something is told as such: it may be shown to who asks for it', () => {
  assert.equal([...new Set(all.flatMap(({ credential }) => credential ?? []))].sort(), [
    '/etc/botgarden/secrets/bots/hello/database-password',
    '/etc/botgarden/secrets/bots/hello/webhook-secret',
    '/etc/botgarden/secrets/postgres/superuser',
  ])
})

test('each role’s parts, by name', () => {
  const parts = (role: Role) => {
    const ids = role
      .resources(v.parse(role.vars, roles.find(([each]) => each === role)?.[1]), facts, host)
      .map(({ id }) => id)
    return ids.filter((id) => !/^(file|directory|secret|sysctl|package):/.test(id))
  }
  assert.equal(parts(base), [
    ...['unit:botgarden-changes.timer', 'user:ops', 'member:sudo/ops', 'keys:ops'],
    ...['unit:apt-daily.timer', 'unit:apt-daily-upgrade.timer', 'updates:waiting', 'symlink:/etc/localtime'],
    ...['unit:systemd-timesyncd.service', 'swap:/swapfile', 'unit:swapfile.swap', 'journald:config'],
    ...['sshd:config', 'sshd:login'],
  ])
  assert.equal(parts(docker), ['unit:containerd.service', 'unit:docker.service', 'docker:config'])
  assert.equal(parts(certbot), [
    ...['unit:certbot.timer', 'certificate:b.example.org', 'certificate:former', 'certificate:renewal', 'nginx:config'],
  ])
  assert.equal(
    all.filter(({ id }) => id.startsWith('package:')).map(({ id }) => id.slice(8)),
    [
      ...[
        'ca-certificates',
        'cron',
        'curl',
        'tzdata',
        'apt-listchanges',
        'libpam-pwquality',
        'libpam-tmpdir',
        'debsums',
        'aide',
      ],
      ...['sudo', 'unattended-upgrades', 'needrestart', 'systemd-timesyncd'],
      ...['wireguard-tools', 'wireguard-go', 'ufw'],
      ...['containerd', 'docker.io', 'docker-cli', 'docker-compose', 'docker-buildx', 'certbot', 'age', 'jq', 'cron'],
    ],
  )
})

test.run()
