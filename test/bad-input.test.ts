// What an operator may get wrong, from the command line to the last key of the inventory: each ends with exit code 1 and a
// message that names the place, before any host is asked. A fake `ssh` in front of the real one would tell.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readInventory } from '../lib/inventory/inventory.ts'
import { InventoryError } from '../lib/std/errors.ts'
import { allRoles } from '../roles/index.ts'
import { errorOf } from './support/errors.ts'
import { run } from './support/runner.ts'

const folder = mkdtempSync(join(tmpdir(), 'bad-input-'))
test.after(() => rmSync(folder, { recursive: true }))
const touched = join(folder, 'touched')
mkdirSync(join(folder, 'bin'))
writeFileSync(join(folder, 'bin/ssh'), `#!/bin/sh\necho "$@" >>${touched}\nexit 255\n`)
chmodSync(join(folder, 'bin/ssh'), 0o755)
const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH}`, BOTGARDEN_INVENTORY: '' }

const good = 'hosts: { vps1: { ssh: root@192.0.2.1 } }\n'
const host = (more: string) => `hosts: { vps1: { ssh: root@192.0.2.1, ${more} } }\n`
const vars = (more: string) => `vars: { ${more} }\n${good}`
const bots = (more: string) => `${good}bots: { ${more} }\n`

/** A bot with a job that is right but for this. */
const job = (more: string) =>
  `a: { jobs: { d: { ${more.startsWith('schedule') ? '' : 'schedule: "@daily", '}command: [x], ${more} } } }`

/** An inventory, or what follows the playbook on the command line; and what the message must say, its place above all. */
const inventories: readonly (readonly [text: string, said: string | RegExp])[] = [
  ['', /x\d+\.yaml: empty/],
  ['hosts: {}\n', 'no host; name at least one'],
  ['host: { vps1: }\n', /:1:1: .*host.*did you mean "hosts"/],
  ['hosts: [vps1]\n', /:1:\d+: hosts: /],
  ['hosts: { vps1: , }}\n', /:1:\d+/],
  ['hosts:\n\tvps1:\n', /:2:1/],
  ['hosts: { VPS1: }\n', /:1:\d+.*VPS1/],
  ['hosts: { vps1: , vps1: }\n', /:1:\d+.*vps1/],
  ['- vps1\n', /:1:1/],
  [`a: &a { x: 1 }\n${good}`, /:1:1: .*a/],
  [host('shh: x'), /:1:\d+: hosts\.vps1\.shh: .*did you mean "ssh"/],
  ['hosts: { vps1: { ssh: -oProxyCommand=x } }\n', /hosts\.vps1\.ssh/],
  ['hosts: { vps1: { ssh: "root@host:99999" } }\n', /hosts\.vps1\.ssh/],
  ['hosts: { vps1: { ssh: 22 } }\n', /hosts\.vps1\.ssh: .*put it in quotes/],
  [host('domain: Bots.Example.org'), /hosts\.vps1\.domain/],
  [host('domain: localhost'), /hosts\.vps1\.domain/],
  [host('domain: "-a.example.org"'), /hosts\.vps1\.domain/],
  [host('domain: 2001:db8::1'), /:1:\d+/],
  [host('httpsPort: 8080'), /hosts\.vps1\.httpsPort/],
  [host('httpsPort: "443"'), /hosts\.vps1\.httpsPort/],
  [host('domain: b.example.org, httpsPort: 80'), 'httpsPort: 80 is where letsencrypt asks'],
  [host('groups: [core]'), /groups: unknown group "core"/],
  [`groups: { core: }\n${good}`, 'no host is in this group'],
  [host('groups: core'), /hosts\.vps1\.groups/],
  [
    'groups: { a: { docker: { daemon: { debug: true } } }, b: { docker: { daemon: { debug: false } } } }\nhosts: { vps1: { groups: [a, b] } }\n',
    /groups "a" and "b".*disagree/,
  ],
  [vars('dokcer: {}'), /:1:\d+: vars\.dokcer: .*did you mean "docker"/],
  [vars('docker: { registryMirrors: mirror }'), /docker\.registryMirrors/],
  [vars('docker: { registryMirrors: ["ftp://x"] }'), /docker\.registryMirrors\[0\]/],
  [vars('docker: { daemon: { hosts: [] } }'), /docker\.daemon.*hosts/],
  [vars('docker: { mirrors: [] }'), /docker\.mirrors/],
  [vars('base: { timezone: Mars/Olympus }'), /base\.timezone/],
  [vars('base: { swap: -1 }'), /base\.swap/],
  [vars('base: { swap: 1G }'), /base\.swap/],
  [vars('base: { packages: [UPPER] }'), /base\.packages\[0\]/],
  [vars('base: { sshd: { settings: { Match: x } } }'), /base\.sshd\.settings/],
  [vars('base: { admin: { name: root2 } }'), /base\.admin\.keys/],
  [vars('base: { journal: { maxUse: lots } }'), /base\.journal\.maxUse/],
  [vars('base: { sysctls: { "a b": 1 } }'), /base\.sysctls/],
  [vars('ufw: { allow: ["http"] }'), /ufw\.allow\[0\]/],
  [vars('ufw: { allow: ["70000"] }'), /ufw\.allow\[0\]/],
  [vars('ufw: { web: ["80"] }'), /ufw\.web\[0\].*leave out the quotes/],
  [vars('ufw: { sshFrom: [] }'), /ufw\.sshFrom/],
  [vars('ufw: { exclusive: maybe }'), /ufw\.exclusive/],
  [vars('ufw: { allow: ["9100/tcp on -x"] }'), /ufw\.allow\[0\]: .*"on INTERFACE"/],
  [vars('mesh: { address: 10.214.0.1 }'), /hosts\.vps1: mesh\.network: missing: without it mesh\.address says nothing/],
  [vars('mesh: { network: 10.214.0.0 }'), /mesh\.network: .*NETWORK\/BITS/],
  [vars('mesh: { network: 10.214.0.1/16 }'), /mesh\.network/],
  [vars('mesh: { network: 8.8.0.0/16 }'), /mesh\.network/],
  [vars('mesh: { network: 10.210.0.0/16 }'), /hosts\.vps1: mesh\.network: .*the addresses of bots/],
  [
    vars('mesh: { network: 10.214.0.0/16, address: 10.215.0.1 }'),
    /mesh\.address: 10\.215\.0\.1 is not one for a host of/,
  ],
  [vars('mesh: { network: 10.214.0.0/16, endpoint: vps1.example.org }'), /mesh\.endpoint: should be an IPv4 address/],
  [vars('mesh: { network: 10.214.0.0/16, keepalive: true }'), /mesh\.keepalive/],
  [vars('mesh: { network: 10.214.0.0/16, pert: 1 }'), /mesh\.pert: unknown key \(did you mean "port"\?\)/],
  [vars('postgres: { image: postgres }'), /postgres\.image/],
  [vars('postgres: { image: "postgres:16.4" }'), /postgres\.image.*PostgreSQL 17 or later/],
  [vars(`postgres: { settings: { work_mem: "it's" } }`), /postgres\.settings/],
  [vars('nginx: { telegram: [everywhere] }'), /nginx\.telegram\[0\]/],
  [vars('certbot: { email: me }'), /certbot\.email/],
  [vars('certbot: { server: letsencrypt }'), /certbot\.server/],
  [vars('certbot: { certificate: files }'), 'certificate: files needs fullchain and privkey'],
  [vars('certbot: { certificate: letsencrypt }'), 'letsencrypt is for a domain'],
  [vars('backups: { schedule: "17 3 * * *" }'), 'backups.recipients: missing'],
  [vars('backups: { recipients: [] }'), /backups\.recipients/],
  [vars('backups: { recipients: [age1nonsense] }'), /backups\.recipients/],
  [vars('backups: { signer: MD5:00 }'), /backups\.signer: .*SHA256/],
  [vars('backups: { continuous: true }'), 'backups.recipients: missing'],
  [vars('backups: { continuous: always }'), /backups\.continuous/],
  [vars('backups: { continuous: { days: 0 } }'), /backups\.continuous/],
  [vars('backups: { continuous: { day: 7 } }'), /backups\.continuous/],
  [vars('backups: { continuous: { to: store } }'), /backups\.continuous/],
  [
    vars('backups: { continuous: { to: { ssh: "-oProxyCommand=x@h", hostKey: "ssh-ed25519 AAAA" } } }'),
    /backups\.continuous/,
  ],
  [vars('backups: { continuous: { to: { ssh: "a@h" } } }'), /backups\.continuous/],
  [vars('backups: { continuous: { to: { ssh: "a@h", hostKey: "AAAA" } } }'), /backups\.continuous/],
  [
    vars(
      'backups: { recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p], continuous: true }, postgres: { settings: { wal_level: minimal } }',
    ),
    'backups.continuous: sets postgres.settings.wal_level itself',
  ],
  [vars('bot: { network: 192.168 }'), /bot\.network/],
  [vars('bot: { settle: 1000 }'), /bot\.settle/],
  [vars('bot: { telegram: api.telegram.org }'), /bot\.telegram/],
  [vars('bot: { caFile: ca.pem }'), /bot\.caFile/],
  [bots('Hello_Bot: {}'), /bots.*Hello_Bot/],
  [bots('postgres: {}'), /bots.*postgres/],
  [bots('pg-x: {}'), /x\d+\.yaml:2:9: bots\.pg-x: the name should be one that PostgreSQL does not keep for itself/],
  [bots('none: {}'), /x\d+\.yaml:2:9: bots\.none: the name should be one that PostgreSQL does not keep/],
  [bots('public: {}'), /x\d+\.yaml:2:9: bots\.public: the name should be one that PostgreSQL does not keep/],
  [bots('a: { migrate: [node, "a\\0b"] }'), /x\d+\.yaml:2:30: a NUL byte/],
  [bots('a: { environment: { X: "\\x00" } }'), /x\d+\.yaml:2:32: a NUL byte/],
  [bots('a: { token: { command: "\\u0000" } }'), /x\d+\.yaml:2:32: a NUL byte/],
  [vars('nginx: { "a\\0": 1 }'), /x\d+\.yaml:1:18: a NUL byte/],
  [vars('base: { sshd: { settings: { X: &x "\\0", Y: *x } } }'), /x\d+\.yaml:1:43: a NUL byte/],
  [bots('a: { host: vps2 }'), /bots\.a\.host: unknown host "vps2" \(did you mean "vps1"\?\)/],
  [bots('a: { memory: much }'), /bots\.a\.memory/],
  [bots('a: { mode: push }'), /bots\.a\.mode/],
  [bots('a: { tokken: x }'), /bots\.a\.tokken.*did you mean "token"/],
  [bots('a: { token: { file: x } }'), /bots\.a\.token/],
  [bots('a: { image: nginx }'), /bots\.a\.image/],
  [bots('a: { environment: { lower: 1 } }'), /bots\.a\.environment/],
  [bots('a: { environment: { X: "${tokn}" } }'), /x\d+\.yaml:2:32: .*X: \$\{tokn\} is nothing.*did you mean "token"/],
  [bots('a: { environment: { X: "${token" } }'), /without its "\}"/],
  [bots('a: { environment: { X: "${secret.key}" } }'), /in capitals/],
  [bots('a: { environment: { X: "1234567:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" } }'), /X: looks like a bot token/],
  [bots('a: { args: { X: "1234567:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" } }'), /X: looks like a bot token/],
  [bots('a: { args: { "X-Y": 1 } }'), /the name of a build argument/],
  [bots('a: { dockerfile: /etc/x }'), /a path in the source/],
  [bots('a: { dockerfile: ../x }'), /a path in the source|dockerfile/],
  [bots('a: { target: "a b" }'), /a stage of the Dockerfile/],
  [bots('a: { data: /app/data }'), /bots\.a\.data: /],
  [bots('a: { data: [app/data] }'), /bots\.a\.data/],
  [bots('a: { data: [/app/../etc] }'), /bots\.a\.data/],
  [bots('a: { data: [/proc/x] }'), /bots\.a\.data/],
  [bots('a: { data: { path: [/a] } }'), /bots\.a\.data/],
  [bots('a: { data: { paths: [/a], shared: maybe } }'), /bots\.a\.data/],
  [bots('a: { public: /app }'), /bots\.a\.public: .*a list/],
  [bots('a: { public: [/app] }'), /bots\.a\.public\[0\]/],
  [bots('a: { public: [{ static: dist }] }'), /bots\.a\.public\[0\]\.path: missing/],
  [bots('a: { public: [{ path: app }] }'), /bots\.a\.public\[0\]\.path: .*a path like \/app, found/],
  [bots('a: { public: [{ path: /a/../b }] }'), /bots\.a\.public\[0\]\.path: .*a path like \/app/],
  [bots('a: { public: [{ path: /app, static: ../dist }] }'), /public\[0\]\.static: .*a folder in the image/],
  [
    bots('a: { public: [{ path: /app, statik: dist }] }'),
    /public\[0\]\.statik: unknown key \(did you mean "static"\?\)/,
  ],
  [bots('a: { public: [{ path: /api, methods: [FETCH] }] }'), /public\[0\]\.methods\[0\]/],
  [bots('a: { public: [{ path: /api, body: 10 }] }'), /public\[0\]\.body: .*a size like 10m/],
  [bots('a: { public: [{ path: /api, rate: "50" }] }'), /public\[0\]\.rate: .*leave out the quotes/],
  [bots('a: { public: [{ path: /pay, from: [everywhere] }] }'), /public\[0\]\.from\[0\]: .*ADDRESS\/BITS/],
  [bots('a: { shareOrigin: maybe }'), /bots\.a\.shareOrigin/],
  [bots('a: { cache: memcached }'), /bots\.a\.cache/],
  [bots('a: { cache: true }'), /bots\.a\.cache/],
  [bots('a: { cache: { memory: 32 } }'), /bots\.a\.cache/],
  [bots('a: { cache: { server: valkey, image: x } }'), /bots\.a\.cache/],
  [bots('a: { redis: true }'), /bots\.a\.redis: .*"cache: valkey"/],
  [bots('a: { command: npm start }'), /bots\.a\.command: should be a list/],
  [bots('a: { command: [] }'), /bots\.a\.command/],
  [
    bots('a: { volumes: [/data] }'),
    /x\d+\.yaml:2:14: bots\.a\.volumes: unknown key: folders that last are listed under "data:"/,
  ],
  [bots('a: { ports: ["80:80"] }'), /ports: unknown key: the one port .* is "port:"/],
  [bots('a: { env: { A: 1 } }'), /env: unknown key: variables are set under "environment:"/],
  [bots('a: { build: . }'), /build: unknown key: .*"dockerfile:"/],
  [bots('a: { volume: [/data] }'), /volume: unknown key/],
  [bots('a: { secrets: env }'), /bots\.a\.secrets/],
  [bots('a: { processes: [worker] }'), /bots\.a\.processes: should be a mapping/],
  [bots('a: { processes: { Worker: { command: [x] } } }'), /processes\.Worker: .*of a-z, 0-9 and single "-"/],
  [bots('a: { processes: { w.x: { command: [x] } } }'), /processes\.w\.x: .*of a-z, 0-9 and single "-"/],
  [bots('a: { processes: { w: { comand: [x] } } }'), /processes\.w\.comand: unknown key \(did you mean "command"\?\)/],
  [bots('a: { processes: { w: { command: npm start } } }'), /processes\.w\.command: should be a list/],
  [bots('a: { processes: { w: { command: [x], single: yes } } }'), /processes\.w\.single: should be true or false/],
  [bots('a: { processes: { w: { command: [x], memory: 12 } } }'), /processes\.w\.memory: .*160m or 1g/],
  [bots('a: { processes: { w: { command: [x], port: 70000 } } }'), /processes\.w\.port/],
  [
    bots('a: { processes: { w: { command: [x], environment: { A: 1 } } } }'),
    /w\.environment: unknown key: .*set it there/,
  ],
  [bots('a: { processes: { w: { dockerfile: ../x } } }'), /processes\.w\.dockerfile: .*a path in the source/],
  [
    bots(`a: { processes: { ${Array.from({ length: 9 }, (_, i) => `w${i}: { command: [x] }`).join(', ')} } }`),
    /bots\.a\.processes: .*at most 8 processes/,
  ],
  [bots('a: { environment: { X: "${process.api.port}" } }'), /what is known of a process is where it listens/],
  ['hosts: { vps1: , vps2: }\nbots: { a: {} }\n', 'missing: host, one of vps1, vps2'],
  [bots('a: { database: yes }'), /bots\.a\.database: should be true or false or a mapping, found the text "yes"/],
  [bots('a: { database: { tpc: true } }'), /bots\.a\.database\.tpc: unknown key \(did you mean "tcp"\?\)/],
  [bots('a: { database: { tcp: 5432 } }'), /bots\.a\.database\.tcp: should be true or false/],
  [bots('a: { database: { connections: 0 } }'), /bots\.a\.database\.connections: .*1 to 100/],
  [bots('a: { database: { connections: "20" } }'), /bots\.a\.database\.connections: .*leave out the quotes/],
  [bots('a: { database: { extensions: pg_trgm } }'), /bots\.a\.database\.extensions: .*a list/],
  [bots('a: { database: { extensions: ["pg trgm"] } }'), /bots\.a\.database\.extensions\[0\]/],
  [bots('a: { database: { init: ../init.sql } }'), /bots\.a\.database\.init: .*a file in the source/],
  [bots('a: { database: { init: /init.sql } }'), /bots\.a\.database\.init/],
  [bots('a: { domains: shop.example.org }'), /:2:23: bots\.a\.domains: should be a list/],
  [bots('a: { domains: [Shop.example.org] }'), /domains\[0\]: should be a domain name alone, in lower case: shop\.ex/],
  [
    bots('a: { domains: ["https://shop.example.org/x"] }'),
    /:2:24: .*a domain name alone, .*: shop\.example\.org, found/,
  ],
  [bots('a: { domains: ["*.example.org"] }'), /domains\[0\]: .*a wildcard cannot be proved by HTTP/],
  [bots('a: { domains: [192.0.2.1] }'), /domains\[0\]: .*an address has no certificate of an authority/],
  [bots('a: { domains: ["2001:db8::1"] }'), /domains\[0\]: .*an address has no certificate/],
  [bots('a: { domains: [läden.example] }'), /domains\[0\]: .*in lower case: xn--lden-loa\.example/],
  [bots('a: { domains: [shop] }'), /domains\[0\]: should be a domain name like shop\.example\.org, found "shop"/],
  [bots('a: { domains: [8] }'), /bots\.a\.domains\[0\]: /],
  [bots('a: { domain: shop.example.org }'), /:2:14: bots\.a\.domain: unknown key: a bot may have several: "domains:/],
  [
    bots('a: { domains: [s.example.org, s.example.org] }'),
    /:2:39: bots\.a\.domains\[1\]: s\.example\.org is listed twice, see .*:2:24: leave one out/,
  ],
  [
    bots('a: { domains: [s.example.org] }, b: { domains: [s.example.org] }'),
    /:2:57: bots\.b\.domains\[0\]: s\.example\.org is a domain of bots\.a already, see .*:2:24: /,
  ],
  [
    `${host('domain: s.example.org')}bots: { a: { domains: [s.example.org] } }\n`,
    /:2:24: bots\.a\.domains\[0\]: s\.example\.org is the name of hosts\.vps1 already, see .*:1:\d+: /,
  ],
  [
    'hosts: { v1: , v2: }\nbots: { a: { host: v1, domains: [s.example.org] }, b: { host: v2, domains: [s.example.org] } }\n',
    /:2:\d+: bots\.b\.domains\[0\]: .*is a domain of bots\.a already/,
  ],
  [
    `${host('httpsPort: 80')}bots: { a: { domains: [s.example.org] } }\n`,
    /hosts\.vps1: httpsPort: 80 is where letsencrypt asks/,
  ],
  [bots(job('schedule: "60 9 * * *"')), /x\d+\.yaml:2:\d+: bots\.a\.jobs\.d\.schedule: minute "60": .*0 to 59/],
  [bots(job('schedule: "0 9 * *"')), /jobs\.d\.schedule: should be five fields .*found 4/],
  [bots(job('schedule: "0 0 9 * * *"')), /jobs\.d\.schedule: .*found 6: cron knows no seconds/],
  [bots(job('schedule: "@dayly"')), /jobs\.d\.schedule: "@dayly" is none of .*@daily/],
  [bots(job('schedule: "@reboot"')), /jobs\.d\.schedule: .*belongs into the bot/],
  [bots(job('schedule: "0 9 31 2 *"')), /jobs\.d\.schedule: day 31 is in none of its months/],
  [bots(job('schedule: "5/10 * * * *"')), /jobs\.d\.schedule: .*write 5-59\/10/],
  [bots(job('schedule: "0 9 * * fri-mon"')), /jobs\.d\.schedule: .*fri-mon ends before it begins/],
  [bots(job('schedule: 9')), /jobs\.d\.schedule: .*in quotes/],
  [bots(job('timezone: Berlin')), /jobs\.d\.timezone: .*Europe\/Berlin/],
  [bots(job('timezone: "+02:00"')), /jobs\.d\.timezone/],
  [bots(job('timeout: 10')), /jobs\.d\.timeout: .*90s, 10m or 2h/],
  [bots(job('timeout: 25h')), /jobs\.d\.timeout: .*at most 24h/],
  [bots(job('missed: later')), /jobs\.d\.missed/],
  [bots(job('retries: 3')), /jobs\.d\.retries: unknown key/],
  [bots('a: { jobs: { d: { schedule: "@daily" } } }'), /jobs\.d\.command: missing/],
  [bots('a: { jobs: { d: { schedule: "@daily", command: node x.js } } }'), /jobs\.d\.command: should be a list/],
  [bots('a: { jobs: { Digest_1: { schedule: "@daily", command: [x] } } }'), /jobs.*Digest_1/],
  [bots('a: { cron: "0 9 * * *" }'), /bots\.a\.cron: unknown key: .*"jobs:"/],
  [bots('a: { source: { gti: x } }'), /bots\.a\.source.*(git|missing)/],
  [bots('a: { source: { git: 5 } }'), /bots\.a\.source/],
  [bots('a: { source: { git: "ssh://h/x", ref: "--upload-pack=id" } }'), /bots\.a\.source/],
  [bots('a: { source: { git: "ssh://h/x", ref: "a..b" } }'), /bots\.a\.source/],
  [bots('a: { source: { git: "ssh://h/x", path: ../x } }'), /bots\.a\.source/],
  [bots('a: { hooks: npm test }'), /bots\.a\.hooks: should be a mapping/],
  [bots('a: { hooks: { befor: x } }'), /bots\.a\.hooks\.befor: unknown key \(did you mean "before"\?\)/],
  [bots('a: { hooks: { before: [npm, test] } }'), /bots\.a\.hooks\.before: should be text/],
  [bots('a: { webhookPath: "/hook/*/x" }'), /bots\.a\.webhookPath: .*\/webhook\/\*/],
  [bots('a: { webhookPath: "/hook*" }'), /bots\.a\.webhookPath/],
  [bots('a: { replicas: 0, hosts: [vps1] }'), /bots\.a\.replicas/],
  [bots('a: { replicas: 21, hosts: [vps1] }'), /bots\.a\.replicas/],
  [bots('a: { replicas: "3", hosts: [vps1] }'), /bots\.a\.replicas: .*leave out the quotes/],
  [bots('a: { replicas: 2.5, hosts: [vps1] }'), /bots\.a\.replicas/],
  [bots('a: { replicas: 2, hosts: [] }'), /bots\.a\.hosts/],
  [bots('a: { replicas: 2, hosts: vps1 }'), /bots\.a\.hosts: should be a list/],
  [
    bots('a: { replicas: 2, hosts: [vps1, vps9] }'),
    /:2:\d+: bots\.a\.hosts: unknown host "vps9" \(did you mean "vps1"/,
  ],
  [bots('a: { replica: 2, hosts: [vps1] }'), /bots\.a\.replica: unknown key \(did you mean "replicas"/],
  [bots('a: { stateless: maybe }'), /bots\.a\.stateless/],
  [vars('swarm: { network: 10.216.0.0/24 }'), /swarm\.network: .*12 to 20 bits/],
  [vars('swarm: { network: 8.8.0.0/16 }'), /swarm\.network: .*private/],
  [vars('swarm: { managers: 3 }'), /swarm\.managers: unknown key/],
  [vars('watch: { chat: 5 }'), /watch\.token: missing/],
  [vars('watch: { token: { env: WATCH_TOKEN } }'), /watch\.chat: missing/],
  [vars('watch: { digest: "09:00" }'), /watch\.chat or watch\.url: missing.*the digest neither/],
  [vars('watch: { deadman: "https://d.example/x" }'), /watch\.chat or watch\.url: missing/],
  [vars('watch: { chat: me, token: { env: T } }'), /:1:\d+: watch\.chat: /],
  [vars('watch: { chat: 5, token: "7000:abc" }'), /watch\.token/],
  [vars('watch: { url: "ftp://a.example" }'), /watch\.url: .*a URL like https/],
  [vars(`watch: { url: 'https://a.example/"' }`), /watch\.url/],
  [vars('watch: { url: "https://a.example", deadman: example.org }'), /watch\.deadman/],
  [vars('watch: { url: "https://a.example", digest: "9:00" }'), /watch\.digest: .*'09:00'/],
  [vars('watch: { url: "https://a.example", thresholds: { disk: 101 } }'), /thresholds\.disk: .*from 1 to 100/],
  [vars('watch: { url: "https://a.example", thresholds: { disks: 90 } }'), /disks.*did you mean "disk"/],
]
const missingConfig = [`sshConfig: nowhere\n${good}`, 'sshConfig: no such file'] as const

const commands: readonly (readonly [args: readonly string[], said: string | RegExp])[] = [
  [['site.ts', '--chekc'], /unknown option "--chekc" \(did you mean "--check"/],
  [['site.ts', '-check'], /unknown option/],
  [['site.ts', '--limit'], '--limit needs a value'],
  [['site.ts', '--limit', 'vps9'], /unknown host or group "vps9" \(did you mean "vps1"/],
  [['site.ts', '--tags', 'dokcer'], /unknown role "dokcer" \(did you mean "docker"/],
  [['site.ts', '--forks', '0'], /--forks: should be a whole number/],
  [['site.ts', '--check=yes'], '--check takes no value'],
  [['site.ts', 'vps1'], /unexpected "vps1"/],
  [['site.ts', '--explain', 'dokcer.daemon'], /dokcer/],
  [['site.ts', '--tags', 'a,,b'], 'a name is missing'],
  [['bot.ts'], 'which bot: --name BOT, or --all'],
  [['bot.ts', '--name', 'hello'], 'has no bots'],
  [['bot.ts', '--name', 'a', '--all'], 'which bot'],
  [['bot.ts', '--name', 'a', '--rollback', '--logs'], 'cannot be combined'],
  [['bot.ts', '--name', 'a', '--run'], '--run needs a value: --run JOB'],
  [['bot.ts', '--name', 'a', '--run', 'x', '--jobs'], 'cannot be combined'],
  [['bot.ts', '--name', 'a', '--purge'], '--purge needs --remove'],
  [['bot.ts', '--name', 'a', '--follow'], '--follow needs --logs'],
  [['bot.ts', '--name', 'a', '--grep', 'x', '--run', 'y'], '--grep needs --logs'],
  [['bot.ts', '--name', 'a', '--logs', '--since'], '--since needs a value: --since TIME'],
  [['bot.ts', '--name', 'a', '--process', 'x'], '--process needs --logs or --exec'],
  [['bot.ts', '--name', 'a', '--exec', 'ls'], '--exec needs COMMAND: --exec -- COMMAND'],
  [['bot.ts', '--name', 'a', '--psql', '--logs'], 'cannot be combined'],
  [['bot.ts', '--name', 'a', '--exec'], '--exec needs COMMAND: --exec -- COMMAND'],
  [['bot.ts', '--name', 'a', '--import'], '--import needs a value: --import FILE'],
  [['bot.ts', '--name', 'a', '--move-to'], '--move-to needs a value: --move-to HOST'],
  [['bot.ts', '--name', 'a', '--move-to', 'vps1', '--rollback'], '--move-to and --rollback cannot be combined'],
  [['bot.ts', '--name', 'a', '--move-to', 'vps1', '--forget', 'vps1'], '--move-to and --forget cannot be combined'],
  [['bot.ts', '--name', 'a', '--move-to', 'vps1', '--limit', 'vps1'], 'leave out --limit'],
  [['bot.ts', '--name', 'a,b', '--move-to', 'vps1'], '--move-to takes exactly one bot'],
  [['bot.ts', '--all', '--move-to', 'vps1'], '--move-to and --all cannot be combined'],
  [['bot.ts', '--name', 'a', '--move-to', 'vps1'], 'unknown bot "a"'],
  [['bot.ts', '--name', 'a', '--forget', 'vps1'], 'unknown bot "a"'],
  [['failover.ts'], '--from HOST is missing'],
  [['failover.ts', '--from', 'vps1'], '--to HOST is missing'],
  [['failover.ts', '--from', 'vps1', '--to'], '--to needs a value: --to HOST'],
  [['failover.ts', '--from', 'vps9', '--to', 'vps1'], /--from: unknown host "vps9" \(did you mean "vps1"/],
  [['failover.ts', '--from', 'vps1', '--to', 'vps1'], '--from and --to are both vps1'],
  [
    ['failover.ts', '--from', 'vps1', '--to', 'vps1', '--drill', '--degrade'],
    '--drill and --degrade cannot be combined',
  ],
  [['failover.ts', '--drill', '--old-host-is-gone'], '--drill and --old-host-is-gone cannot be combined'],
  [['failover.ts', '--in-step', '--check'], '--in-step and --check cannot be combined'],
  [['failover.ts', '--old-host-is-gon'], /unknown option "--old-host-is-gon" \(did you mean "--old-host-is-gone"/],
  [['failover.ts', '--limit', 'vps1'], '--limit'],
  [['bot.ts', '--all', '--source'], '--source needs a value: --source FOLDER'],
  [
    ['init.ts'],
    /^--bot is missing: .*\n--token-file is missing: .*\nthere is no terminal to ask on: give each answer by its flag/,
  ],
  [['init.ts', '--domain', 'localhost'], /^--domain: should be a domain name/],
  [['init.ts', '--fingerprint', 'MD5:00'], /^--fingerprint: should be SHA256: and 43 characters/],
  [['init.ts', '--token', '1:secret'], /^unknown option "--token" \(did you mean "--token-file"\?\)\n/],
  [['init.ts', 'vps1'], /^unexpected "vps1" \(did you mean "--host vps1"\?\)/],
  [['init.ts', '--bot', 'a', '--token-file', '/nowhere'], /^--token-file \/nowhere: cannot be read/],
  [['backup.ts'], 'backups.recipients: missing'],
  [['backup.ts', '--check'], 'backup.ts has no --check'],
  [['doctor.ts', '--check'], 'doctor.ts has no --check: it changes nothing'],
  [['doctor.ts', '--diff'], 'doctor.ts has no --diff'],
  [['doctor.ts', '--tags', 'ufw'], /unknown role "ufw"/],
  [['doctor.ts', '--name'], '--name needs a value: --name BOT'],
  [['doctor.ts', '--name', 'no-such-bot'], '--name no-such-bot: no selected host has that bot'],
  [['doctor.ts', '--all-port'], /unknown option "--all-port" \(did you mean "--all-ports"/],
  [['doctor.ts', '--identity', '/no/such/key'], '--identity /no/such/key: cannot be read'],
  [['status.ts', '--check'], 'status.ts has no --check'],
  [['status.ts', '--show-secrets'], 'status.ts has no --show-secrets'],
  [['status.ts', '--tags', 'docker'], 'status.ts has no --tags'],
  [['status.ts', '--watch'], '--watch needs a terminal'],
  [['status.ts', '--watch', '--json'], '--watch and --json cannot be combined'],
  [['status.ts', '--events', '--watch'], '--events and --watch cannot be combined'],
  [['status.ts', '--events', '--html', '/tmp/x.html'], '--events and --html cannot be combined'],
  [['status.ts', '--events', 'vps1'], 'unexpected "vps1" (did you mean "--limit vps1"?)'],
  [['status.ts', '--html'], '--html needs a value: --html FILE'],
  [['status.ts', '--html', '/no/such/folder/x.html'], /--html: \/no\/such\/folder is no folder/],
  [['status.ts', '--html', '/tmp'], /--html: \/tmp is a folder/],
  [['status.ts', '--wathc'], /unknown option "--wathc" \(did you mean "--watch"/],
  [['backup.ts', '--status', '--name', 'a'], 'cannot be combined'],
  [['restore.ts'], 'what to restore'],
  [['update.ts', '--back'], '--back needs --postgres'],
  [['update.ts', '--forget-old'], '--forget-old needs --postgres'],
  [['update.ts', '--postgres', '--back', '--forget-old'], '--forget-old and --back cannot be combined'],
  [['update.ts', '--postgres', '--rotate'], '--rotate and --postgres cannot be combined'],
  [['update.ts', '--rotate', '--reboot'], '--reboot goes with packages alone'],
  [['update.ts', '--postgres', '--back'], 'there is no terminal to ask on'],
  [['update.ts', '--postgres', '--forget-old'], 'there is no terminal to ask on'],
  [['update.ts', '--postgrs'], /unknown option "--postgrs" \(did you mean "--postgres"/],
]

let count = 0
function fileOf(text: string): string {
  const file = join(folder, `x${++count}.yaml`)
  writeFileSync(file, text)
  return file
}

test('there are enough of them', () => assert.ok(inventories.length + commands.length >= 60))

for (const [text, said] of inventories)
  test(`an inventory is refused, with its place: ${text.trim() || 'an empty file'}`, async () => {
    const { message } = await errorOf(readInventory(fileOf(text), allRoles), InventoryError)
    assert.match(message, said)
  })

// The whole way, as an operator would go it: what the command line gets wrong, and every tenth of the inventories.
const whole = [
  ...commands.map(([args, said]) => ({ args: [...args, '-i', fileOf(good)], said })),
  ...[...inventories.filter((_, i) => i % 10 === 0), missingConfig].map(([text, said]) => ({
    args: ['site.ts', '-i', fileOf(text)],
    said,
  })),
]
for (const [i, { args, said }] of whole.entries())
  test(`ends with 1, and asks no host: ${args[0]} ${i < commands.length ? args.slice(1, -2).join(' ') : said}`, async () => {
    const { code, stdout, stderr } = await run([`playbooks/${args[0]}`, ...args.slice(1)], env)
    assert.is(code, 1, `${stdout}${stderr}`)
    assert.match(stderr, said)
    assert.is(stdout, '')
    assert.not(existsSync(touched))
  })

const pair = `vars: { mesh: { network: 10.214.0.0/16 } }
hosts: { vps1: { ssh: root@192.0.2.1, postgres: { standby: vps2 } }, vps2: { ssh: root@192.0.2.2 }, vps3: { ssh: root@192.0.2.3 } }
bots: { a: { host: vps1 } }
`
const ofPair: readonly (readonly [args: readonly string[], said: string | RegExp])[] = [
  [['failover.ts', '--from', 'vps1', '--to', 'vps3'], 'vps3 is not the standby of vps1'],
  [['failover.ts', '--from', 'vps3', '--to', 'vps2'], 'vps2 is not the standby of vps3'],
  [['bot.ts', '--name', 'a', '--move-to', 'vps2'], 'it is the standby of vps1, and serves nothing before a failover'],
]
for (const [args, said] of ofPair)
  test(`ends with 1, and asks no host of a pair: ${args.join(' ')}`, async () => {
    const { code, stderr } = await run([`playbooks/${args[0]}`, ...args.slice(1), '-i', fileOf(pair)], env)
    assert.is(code, 1, stderr)
    assert.match(stderr, said)
    assert.not(existsSync(touched))
  })

test.run()
