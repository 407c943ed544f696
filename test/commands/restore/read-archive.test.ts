// The files of a backup, honest and hostile, as restore.ts --host takes them: the archive is read here, on the operator's machine.
import { execFileSync, spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { membersOf } from '../../../commands/restore/read-archive.ts'
import { isRestorable, restorableFiles } from '../../../commands/restore/restorable-files.ts'
import { archiveFor, writeFilesScript } from '../../../commands/restore/write-files.ts'
import { HostError } from '../../../lib/std/errors.ts'
import { type Entry, tar } from '../../support/hostile/marks.ts'

const domain = 'vps1.example.org'
const folder = mkdtempSync(join(tmpdir(), 'archive-test-'))
test.after(() => rmSync(folder, { recursive: true }))

const account = '2cf907721937406a4396cdc19f6a226f'
const renewal = `version = 4.0.0
archive_dir = /etc/letsencrypt/archive/${domain}
[renewalparams]
account = ${account}
key_type = ecdsa
server = https://acme.example.org/dir
authenticator = webroot
webroot_path = /var/lib/botgarden/acme,
`
const pair = certificate(domain)
const secret = 'a'.repeat(43)
const login = JSON.stringify({ auths: { 'ghcr.io': { auth: 'eDp5' } } })
const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n'

/** As a host has them. */
const honest: readonly Entry[] = [
  ...[
    'etc/botgarden/',
    'etc/botgarden/secrets/',
    'etc/botgarden/secrets/bots/',
    'etc/botgarden/secrets/bots/hello-bot/',
  ].map((name) => ({ name, type: 'directory' }) as const),
  ...file('etc/botgarden/acme-ca.pem', 'x'),
  ...file('etc/botgarden/secrets/bots/hello-bot/token', '1234:abc-DEF_'),
  ...file('etc/botgarden/secrets/bots/hello-bot/webhook-secret', secret),
  ...file('etc/botgarden/secrets/bots/hello-bot/database-password', secret),
  ...file('etc/botgarden/secrets/bots/hello-bot/pgpass', 'x'),
  ...file('etc/botgarden/secrets/bots/hello-bot/API_KEY', 'any\nthing \\ "at" all'),
  ...file('etc/botgarden/secrets/postgres/superuser', 'x'),
  ...file('etc/botgarden/secrets/backup-signing-key', key),
  ...file('etc/botgarden/registry/ghcr.io/config.json', login),
  ...file(`etc/botgarden/tls/${domain}/cef5dd061b1a3306/fullchain.pem`, pair.fullchain),
  { name: `etc/botgarden/tls/${domain}/current`, type: 'symlink', linkname: 'cef5dd061b1a3306' },
  ...file('etc/letsencrypt/cli.ini', 'max-log-backups = 0\n'),
  ...lineage(domain, pair),
  ...['meta', 'private_key', 'regr'].flatMap((each) =>
    file(`etc/letsencrypt/accounts/acme.example.org/dir/${account}/${each}.json`, `{"is":"${each}"}`),
  ),
  ...file('etc/letsencrypt/renewal-hooks/deploy/botgarden', '#!/bin/sh'),
  ...file('var/lib/botgarden/allocations', 'hello-bot 1\nother-bot 254\n'),
  ...file('var/lib/botgarden/bots/hello-bot/current.json', '{}'),
  ...file('var/lib/botgarden/bots/hello-bot/releases', '{}'),
  ...file('opt/botgarden/nginx/conf/own/mine.conf', '# mine\n'),
  ...file('opt/botgarden/nginx/conf/nginx.conf', 'x'),
  { name: 'opt/botgarden/nginx/running', type: 'symlink', linkname: 'generations/9e70bb5ed7f6716f' },
]

test('of a host as it is all is kept that nobody could make anew', async () => {
  const kept = await keeping([])
  assert.equal(
    [...kept.allocations],
    [
      ['hello-bot', 1],
      ['other-bot', 254],
    ],
  )
  assert.equal([...(kept.secrets.get('hello-bot')?.keys() ?? [])].sort(), [
    'API_KEY',
    'database-password',
    'token',
    'webhook-secret',
  ])
  assert.equal([...kept.registries.keys()], ['ghcr.io'])
  assert.is(kept.signingKey?.toString(), key)
  assert.equal(
    [...kept.own].map(([name, content]) => [name, content.toString()]),
    [['mine.conf', '# mine\n']],
  )
  assert.is(kept.certificate?.entries.length, 12)
  assert.equal(kept.ignored, [])
})

test('the certificates for the domains of bots are kept too, and that of a name that nobody has is not', async () => {
  const [shop, other] = ['shop.example.org', 'other.example.org']
  const more = [...lineage(shop, certificate(shop)), ...lineage(other, certificate(other))]
  const kept = await keeping(more, {}, [domain, shop, 'none.example.org'])
  const paths = kept.certificate?.entries.map(({ path }) => path) ?? []
  assert.equal(
    paths.filter((path) => path.startsWith('renewal/')),
    [`renewal/${domain}.conf`, `renewal/${shop}.conf`],
  )
  assert.is(new Set(paths).size, paths.length, 'the account, which both have, once')
  assert.is(paths.length, 12 + 9)
  assert.ok(kept.ignored.length > 0 && kept.ignored.every((path) => path.includes(other)), kept.ignored.join())
})

test('it is laid down with owners and modes of ours, and nothing but that', async () => {
  const { root, calls, stdout } = await laidDown([])
  assert.match(stdout, 'unpacked')
  assert.equal(treeOf(root), [
    'etc/botgarden/registry/ghcr.io/config.json 600',
    'etc/botgarden/secrets/backup-signing-key 400',
    'etc/botgarden/secrets/bots/hello-bot/API_KEY 400',
    'etc/botgarden/secrets/bots/hello-bot/database-password 400',
    'etc/botgarden/secrets/bots/hello-bot/token 400',
    'etc/botgarden/secrets/bots/hello-bot/webhook-secret 400',
    ...['meta', 'private_key', 'regr'].map(
      (each) =>
        `etc/letsencrypt/accounts/acme.example.org/dir/${account}/${each}.json ${each === 'private_key' ? 400 : 644}`,
    ),
    ...['cert', 'chain', 'fullchain'].map((kind) => `etc/letsencrypt/archive/${domain}/${kind}2.pem 644`),
    `etc/letsencrypt/archive/${domain}/privkey2.pem 600`,
    ...['cert', 'chain', 'fullchain', 'privkey'].map(
      (kind) => `etc/letsencrypt/live/${domain}/${kind}.pem → ../../archive/${domain}/${kind}2.pem`,
    ),
    `etc/letsencrypt/renewal/${domain}.conf 644`,
    'opt/botgarden/nginx/conf/own/mine.conf 644',
    'var/lib/botgarden/allocations 600',
  ])
  assert.match(calls, /^chown -R 20001:20001 \S+\/secrets\/hello-bot$/m)
  assert.is(readFileSync(join(root, 'var/lib/botgarden/allocations'), 'utf8'), 'hello-bot 1\nother-bot 254\n')
})

test('a second time, after a cut, the same comes of it', async () => {
  const once = await laidDown([])
  const again = await laidDown([], once.root)
  assert.match(again.stdout, 'unpacked')
  assert.equal(treeOf(again.root), treeOf(once.root))
})

const bot = 'etc/botgarden/secrets/bots/hello-bot'
for (const [what, entry, said] of [
  ['a hard link as a secret', { name: `${bot}/X`, type: 'link', linkname: 'etc/shadow' }, 'is a hard link'],
  [
    'a symbolic link as a secret',
    { name: `${bot}/X`, type: 'symlink', linkname: '/etc/shadow' },
    'is a link to "/etc/shadow"',
  ],
  [
    'a link as the folder of a bot',
    { name: 'etc/botgarden/secrets/bots/evil', type: 'symlink', linkname: '/etc' },
    'is a link to',
  ],
  [
    'a link out of the certificates',
    { name: `etc/botgarden/tls/${domain}/x`, type: 'symlink', linkname: '/root' },
    'is a link to',
  ],
  [
    'a link as the allocations’ folder',
    { name: 'var/lib/botgarden/bots/x', type: 'symlink', linkname: '../../../../etc' },
    'is a link to',
  ],
  ['a file of root’s', { name: 'root/.ssh/authorized_keys', content: 'x' }, 'is outside the folders of a backup'],
  ['a job of cron’s', { name: 'etc/cron.d/x', content: 'x' }, 'is outside the folders of a backup'],
  ['a sibling of the allocations', { name: 'var/lib/botgarden/allocations.d/x' }, 'is outside the folders of a backup'],
  ['a path up', { name: 'etc/botgarden/../shadow' }, 'is an unsafe path'],
  ['a path from the root', { name: '/etc/botgarden/x' }, 'is an unsafe path'],
  ['a path with a dot', { name: 'etc/botgarden/./x' }, 'is an unsafe path'],
  ['a path with two slashes', { name: 'etc/botgarden//x' }, 'is an unsafe path'],
  ['a name with a line break', { name: `${bot}/a\nb` }, 'has control characters in its name'],
  ['a name with an escape', { name: `${bot}/\u001b[2J` }, 'has control characters in its name'],
  ['a device', { name: `${bot}/X`, type: 'block-device' }, 'is a block-device'],
  ['a terminal', { name: `${bot}/X`, type: 'character-device' }, 'is a character-device'],
  ['a pipe', { name: `${bot}/X`, type: 'fifo' }, 'is a fifo'],
  ['a secret twice', { name: `${bot}/token`, content: '1:a' }, 'occurs twice'],
  ['a secret of two megabytes', { name: `${bot}/X`, content: 'x'.repeat(2 ** 21) }, 'more than the limit of'],
] as const)
  test(`an archive with ${what} is refused, whatever else is in it`, async () => {
    await assertRefused(keeping([entry as Entry]), said)
    await assertRefused(keeping([entry as Entry], { first: true }), said)
  })

for (const [what, content] of [
  ['of a bot that is none', 'hello-bot 1\n../../etc 2\n'],
  ['of a bot twice', 'hello-bot 1\nhello-bot 2\n'],
  ['of one number for two', 'hello-bot 1\nother-bot 1\n'],
  ['of the number 0, whose user is not a bot’s', 'hello-bot 0\n'],
  ['of a number that is too large', 'hello-bot 255\n'],
  ['of a negative number', 'hello-bot -20001\n'],
  ['with a word too many', 'hello-bot 1 2\n'],
  ['with a NUL', 'hello-bot\0 1\n'],
] as const)
  test(`allocations ${what} are refused`, () =>
    assertRefused(keeping([{ name: 'var/lib/botgarden/allocations', content }], { replaces: true }), 'allocations'))

for (const [what, name, content] of [
  ['a token that goes on as a line of curl’s configuration', `${bot}/token`, '1:a\noutput = "/etc/cron.d/x"'],
  ['a token with a quote', `${bot}/token`, '1:a"'],
  ['a webhook secret of another length', `${bot}/webhook-secret`, `${secret}"\nx`],
  ['a password with a colon', `${bot}/database-password`, 'a:b'],
  ['a login that names a program', 'etc/botgarden/registry/evil/config.json', '{"credsStore":"x"}'],
  ['a login that is no JSON', 'etc/botgarden/registry/evil/config.json', 'x'],
  ['the folder above as a registry', 'etc/botgarden/registry/../config.json', login],
  ['a secret of a bot that has no number', 'etc/botgarden/secrets/bots/stranger/token', '1:a'],
  ['a secret with a name that no secret has', `${bot}/x.new`, 'x'],
  ['a file of the operator’s in our folder', 'etc/botgarden/notes', 'x'],
  ['a key that is none', 'etc/botgarden/secrets/backup-signing-key', 'x'],
  ['a hook of certbot’s', 'etc/letsencrypt/renewal-hooks/post/x', '#!/bin/sh'],
  ['a certificate of another name', 'etc/letsencrypt/renewal/other.example.org.conf', `${renewal}pre_hook = id\n`],
] as const)
  test(`not taken, and told: ${what}`, async () => {
    const { root, kept } = await laidDown([{ name, content }], undefined, { replaces: true }).catch((error: Error) => {
      assert.match(error.message, 'is an unsafe path')
      return { root: '', kept: undefined }
    })
    if (kept === undefined) return
    assert.ok(kept.ignored.includes(name))
    const there = treeOf(root)
      .filter((line) => !line.includes('→'))
      .map((line) => line.replace(/ \d+$/, ''))
    assert.not.ok(there.includes(name))
    assert.not.ok(there.some((path) => readFileSync(join(root, path), 'utf8') === content))
  })

for (const [what, name, content] of [
  [
    'names a program',
    `renewal/${domain}.conf`,
    `${renewal}pre_hook = touch /pwned\npost_hook = x\nrenew_hook = x\ndeploy_hook = x\n`,
  ],
  [
    'has a way of its own to prove the name',
    `renewal/${domain}.conf`,
    renewal.replace('= webroot\n', '= manual\nmanual_auth_hook = x\n'),
  ],
  [
    'is of an authority that is no address',
    `renewal/${domain}.conf`,
    renewal.replace('https://acme.example.org/dir', 'https://a/../../x'),
  ],
  ['has the key of another one', `archive/${domain}/privkey2.pem`, certificate(domain).privkey],
  ['is of another name', `archive/${domain}/fullchain2.pem`, certificate('evil.example.org').fullchain],
  ['has more in its file than itself', `archive/${domain}/chain2.pem`, `${pair.fullchain}\npre_hook = x\n`],
  ['has an account that is no JSON', `accounts/acme.example.org/dir/${account}/regr.json`, 'x'],
] as const)
  test(`a certificate that ${what}: no program of it stays`, async () => {
    const { root, kept } = await laidDown([{ name: `etc/letsencrypt/${name}`, content }], undefined, { replaces: true })
    const text = spawnSync('grep', ['-rE', 'hook|manual', root], { encoding: 'utf8' }).stdout
    assert.is(text, '')
    if (what !== 'names a program') assert.is(kept.certificate, undefined)
  })

test('a link of the operator’s among his own files is not followed, and told', async () => {
  const link = { name: 'opt/botgarden/nginx/conf/own/x.conf', type: 'symlink', linkname: '/etc/shadow' } as const
  const { root, kept } = await laidDown([link])
  assert.equal(kept.ignored, ['opt/botgarden/nginx/conf/own/x.conf'])
  assert.not.ok(treeOf(root).some((line) => line.includes('x.conf')))
})

for (const [what, bytes] of [
  ['is cut', (whole: Buffer) => whole.subarray(0, whole.length - 5000)],
  ['is none', () => Buffer.from('x'.repeat(1024))],
  ['is empty', () => Buffer.alloc(0)],
  ['has an entry whose size is not true', (whole: Buffer) => damaged(whole)],
] as const)
  test(`an archive that ${what} is an error with words, or holds nothing`, async () => {
    const whole = await tar(honest)
    try {
      const members = await membersOf(streamOf(bytes(whole)), isRestorable)
      assert.is(members.size, 0)
    } catch (error) {
      assert.instance(error, HostError)
    }
  })

test('an archive larger than any host’s is not read to its end', async () => {
  let read = 0
  async function* endless() {
    for (;;) {
      read += 2 ** 20
      yield Buffer.alloc(2 ** 20)
    }
  }
  await assertRefused(membersOf(endless(), isRestorable), 'is larger than')
  assert.ok(read < 2 ** 27)
})

// --- what the tests are made of ---

function file(name: string, content: string): Entry[] {
  return [{ name, content }]
}

/** The files of certbot for a name. */
function lineage(name: string, own: { fullchain: string; privkey: string }): Entry[] {
  return [
    ...file(`etc/letsencrypt/renewal/${name}.conf`, renewal.replaceAll(domain, name)),
    ...['cert', 'chain', 'fullchain'].flatMap((kind) =>
      file(`etc/letsencrypt/archive/${name}/${kind}2.pem`, own.fullchain),
    ),
    ...file(`etc/letsencrypt/archive/${name}/privkey2.pem`, own.privkey),
    ...['cert', 'chain', 'fullchain', 'privkey'].map(
      (kind) =>
        ({
          name: `etc/letsencrypt/live/${name}/${kind}.pem`,
          type: 'symlink',
          linkname: `../../archive/${name}/${kind}2.pem`,
        }) as const,
    ),
  ]
}

async function archiveWith(more: readonly Entry[], { first = false, replaces = false } = {}): Promise<Buffer> {
  const names = more.map(({ name }) => name)
  const rest = replaces ? honest.filter(({ name }) => !names.includes(name)) : honest
  return tar(first ? [...more, ...rest] : [...rest, ...more])
}

async function keeping(more: readonly Entry[], how = {}, names = [domain]) {
  return restorableFiles(await membersOf(streamOf(await archiveWith(more, how)), isRestorable), names)
}

async function* streamOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let i = 0; i < bytes.length; i += 1000) yield bytes.subarray(i, i + 1000)
}

async function assertRefused(promise: Promise<unknown>, said: string): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.instance(error, HostError)
  assert.match((error as Error).message, said)
}

/** Runs what lays it down in a real sh, below a folder that stands for the root of a host. */
async function laidDown(more: readonly Entry[], root = mkdtempSync(join(folder, 'root-')), how = {}) {
  const kept = await keeping(more, how)
  const incoming = join(root, 'var/lib/botgarden/incoming')
  mkdirSync(incoming, { recursive: true })
  mkdirSync(join(root, 'bin'), { recursive: true })
  writeFileSync(join(incoming, 'files.tar'), await archiveFor(kept))
  writeFileSync(join(root, 'bin/chown'), `#!/bin/sh\necho "chown $*" >>${root}/bin/calls\n`, { mode: 0o755 })
  const { text } = writeFilesScript(kept, '/opt/botgarden/nginx/conf/own')
  const here = text.replaceAll(/(?<![\w.])\/(etc|var\/lib|opt)(?=[\s/])/g, `${root}/$1`)
  const { stdout } = spawnSync('sh', ['-c', here], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${root}/bin:${process.env.PATH}` },
  })
  const calls = readFileSync(join(root, 'bin/calls'), 'utf8')
  rmSync(join(root, 'bin'), { recursive: true })
  return { root, kept, stdout, calls }
}

function treeOf(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const name = path.slice(root.length + 1)
      return entry.isSymbolicLink()
        ? `${name} → ${readlinkSync(path)}`
        : `${name} ${(statSync(path).mode & 0o7777).toString(8)}`
    })
    .sort()
}

/** The size of its first file is a number that runs past its end. */
function damaged(whole: Buffer): Buffer {
  const copy = Buffer.from(whole)
  const at = copy.indexOf('acme-ca.pem') - 'etc/botgarden/'.length
  copy.write('77777777777', at + 124)
  return copy
}

function certificate(name: string): { fullchain: string; privkey: string } {
  const options = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-keyout', '-']
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
  const text = execFileSync('openssl', ['req', ...options, ...subject], { encoding: 'utf8', stdio: 'pipe' })
  const start = text.indexOf('-----BEGIN CERTIFICATE')
  return { privkey: text.slice(0, start), fullchain: text.slice(start) }
}

test.run()
