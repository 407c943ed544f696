// A repository that was made to do harm: it is read in bounded time, nothing of it is run, followed, overwritten or shown as it is.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { adopt } from '../../../commands/adopt/index.ts'
import { openRepository } from '../../../commands/adopt/read/repository.ts'
import { visible } from '../../../lib/std/colour.ts'
import { adopted, type Files, repository } from './support.ts'

const secret = '987654321:AAF0000000000000000000000000000-top'

test('no value of a real .env is in a file or in what is said', async () => {
  const folder = repository({
    '.env': `BOT_TOKEN=${secret}\nexport ADMIN_IDS=424242\nLANG_CODE="kestrel"\nSTRIPE_KEY=sk_heron\n`,
    '.env.production': 'OTHER=osprey\n',
    '.env.example': 'BOT_TOKEN=\nLANG_CODE=en\n',
    'docker-compose.yml': 'services: { bot: { build: ., env_file: .env } }',
    'requirements.txt': 'aiogram\n',
  })
  const said = await adopt(folder, 'shop')
  const all = [
    said,
    ...readdirSync(folder)
      .filter((name) => !name.startsWith('.env'))
      .map((name) => readFileSync(join(folder, name), 'utf8')),
  ].join('\n')
  for (const value of [secret, '424242', 'kestrel', 'sk_heron', 'osprey']) assert.not(all.includes(value), value)
  const { environment } = parse(readFileSync(join(folder, 'bot.yaml'), 'utf8'))
  assert.equal(environment, {
    BOT_TOKEN: '${token}',
    LANG_CODE: 'en',
    ADMIN_IDS: '${secret.ADMIN_IDS}',
    STRIPE_KEY: '${secret.STRIPE_KEY}',
  })
  assert.is(openRepository(folder).text('.env'), undefined)
})

test('a secret that stands where an example should is not copied', () => {
  const { text, notes, bot } = adopted({
    '.env.example': `BOT_TOKEN=${secret}\nTHING=${secret}\nAPI=https://u:heron@x.org\n`,
    'compose.yml': `services: { bot: { build: { args: { T: "${secret}" } }, command: [run, "${secret}"], environment: { KEY: osprey } } }`,
    Dockerfile: 'FROM x\n',
  })
  assert.ok(bot.environment.length > 2)
  for (const value of [secret, 'heron', 'osprey']) assert.not((text + notes).includes(value), value)
})

test('nothing of it is run', async () => {
  const folder = repository({})
  const trace = join(folder, 'was-run')
  const script = `#!/bin/sh\ntouch ${trace}\n`
  const all: Files = {
    ...Object.fromEntries(
      [
        'gradlew',
        'manage.py',
        'setup.py',
        'entrypoint.sh',
        'node_modules/.bin/tsc',
        '.git/hooks/post-checkout',
        'bin/git',
        'conftest.py',
      ].map((name) => [name, script]),
    ),
    'package.json': `{"scripts":{"start":"touch ${trace}","preinstall":"touch ${trace}","prepare":"touch ${trace}"}}`,
    'setup.cfg': '[x]\n',
    Makefile: `X := $(shell touch ${trace})\nrun:\n\tpython -m bot\n`,
    '.env.example': `X=$(touch ${trace})\nY=\`touch ${trace}\`\n`,
    'knexfile.js': `require('fs').writeFileSync('${trace}', '')`,
  }
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text, { mode: 0o755 })
  }
  await adopt(folder, 'shop')
  assert.not(existsSync(trace))
})

test('what reads, decides and writes could not run anything', () => {
  const folder = join(import.meta.dirname, '../../../commands/adopt')
  const files = ['read', 'decide', 'write'].flatMap((room) =>
    readdirSync(join(folder, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, room, name)),
  )
  assert.ok(files.length > 30)
  const runs = /child_process|worker_threads|['"]zx['"]|local\.ts|\bimport\(|\beval\(|new Function|node:vm|\bfetch\(/
  assert.equal(
    files.filter((file) => runs.test(readFileSync(file, 'utf8'))),
    [],
  )
})

test('no link is followed, neither to read nor to write', async () => {
  const outside = repository({ secret: 'BOT_TOKEN=osprey\n', 'folder/Dockerfile': 'FROM osprey\nCMD ["osprey"]\n' })
  const folder = repository({ 'requirements.txt': 'aiogram\n' })
  symlinkSync(join(outside, 'secret'), join(folder, '.env.example'))
  symlinkSync(join(outside, 'folder'), join(folder, 'docker'))
  symlinkSync(join(outside, 'new-file'), join(folder, 'Dockerfile'))
  const said = await adopt(folder, 'shop')
  assert.match(said, 'Dockerfile is a link or no text: it was neither read nor replaced')
  assert.equal(readdirSync(outside).sort(), ['folder', 'secret'])
  assert.not((said + readFileSync(join(folder, 'bot.yaml'), 'utf8')).includes('osprey'))
})

test('a bot.yaml that is a link to nowhere is a bot.yaml', async () => {
  const outside = repository({})
  const folder = repository({})
  symlinkSync(join(outside, 'new-file'), join(folder, 'bot.yaml'))
  await refused(folder, /bot\.yaml is there already/)
  assert.equal(readdirSync(outside), [])
})

test('what exists is left as it is, but for the files that are new', async () => {
  const files = { Dockerfile: 'FROM x\n', '.dockerignore': 'x\n', 'a.py': 'import x\n' }
  const folder = repository(files)
  await adopt(folder, 'shop')
  for (const [name, text] of Object.entries(files)) assert.is(readFileSync(join(folder, name), 'utf8'), text)
  assert.equal(readdirSync(folder).sort(), ['.dockerignore', 'Dockerfile', 'a.py', 'bot.yaml'])
})

/** Each would take for ever, or all memory, if it were believed. */
const endless: readonly (readonly [what: string, files: () => Files])[] = [
  [
    'aliases that unfold without end',
    () => ({
      'compose.yml': `a: &a [x, x, x, x, x, x, x, x, x]\n${[...'bcdefghi'].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`)}]`).join('\n')}\nservices: { bot: { build: ., command: *i } }\n`,
    }),
  ],
  ['an alias of itself', () => ({ 'compose.yml': 'services: &s { bot: { build: ., x: *s } }\n' })],
  ['YAML that is deep', () => ({ 'compose.yml': `services: ${'['.repeat(60_000)}` })],
  [
    '30,000 services',
    () => ({
      'compose.yml': `services:\n${Array.from({ length: 30_000 }, (_, i) => `  a${i}: { build: . }\n`).join('')}`,
    }),
  ],
  [
    'a mount of nothing but variables',
    () => ({ 'compose.yml': `services: { bot: { build: ., volumes: ["${'${a}'.repeat(3000)}\\n"] } }` }),
  ],
  ['lines of spaces', () => ({ '.env.example': `A=x${' '.repeat(400_000)}y\n`, Dockerfile: '\n'.repeat(400_000) })],
  ['a line of instructions', () => ({ Dockerfile: `FROM x\nRUN ${'CMD /root'.repeat(50_000)}\n` })],
  ['continued lines', () => ({ Dockerfile: `FROM x\nRUN a \\\n${'  b \\\n'.repeat(60_000)}` })],
  ['as many variables', () => ({ '.env.example': Array.from({ length: 40_000 }, (_, i) => `KEY_${i}=1`).join('\n') })],
  [
    'as many packages',
    () => ({
      'package.json': JSON.stringify(
        { dependencies: Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`a${i}`, '1'])) },
        null,
        1,
      ),
    }),
  ],
  [
    'code that is one long call',
    () => ({
      'a.js': 'process.env.A;bot.start('.repeat(20_000),
      'b.py': `x = ${'os.environ["A"] '.repeat(200)}\n`.repeat(100),
    }),
  ],
  [
    'a file too large to be one',
    () => ({ 'compose.yml': Buffer.alloc(2_000_000, 'a'), Dockerfile: Buffer.alloc(2_000_000, 'F') }),
  ],
]
for (const [what, files] of endless)
  test(`it has an end: ${what}`, () => {
    // Whatever is made of it is a bot.yaml: the schema is asked there.
    assert.not.throws(() => adopted(files()))
  })

for (const [what, files] of [
  [
    'binary files',
    {
      Dockerfile: Buffer.from([0, 1, 2, 255]),
      '.env.example': Buffer.from([0xff, 0xfe, 0, 0xd8]),
      'compose.yml': Buffer.from([0x80]),
    },
  ],
  ['UTF-16', { 'requirements.txt': Buffer.from('\ufeffaiogram==3.0\n', 'utf16le') }],
  [
    'names of Object.prototype',
    {
      '.env.example': '__proto__=1\nconstructor=2\nCONSTRUCTOR=3\n',
      'package.json': '{"scripts":{"__proto__":"x","constructor":"y"},"dependencies":{"__proto__":"1"}}',
    },
  ],
  [
    'JSON of another shape',
    { 'package.json': '{"scripts":[1],"dependencies":"x","engines":7,"workspaces":{}}', 'app.json': '[]' },
  ],
  [
    'keys that bot.yaml does not take',
    {
      Dockerfile: 'FROM x\nVOLUME /proc /dev/x ../..\nEXPOSE 99999\n',
      'compose.yml':
        'services: { bot: { build: { target: "a b", args: { "x y": 1 } }, mem_limit: -1, cpus: 0, tmpfs: [/run] } }',
    },
  ],
] as const)
  test(`it is read nevertheless: ${what}`, () => assert.not.throws(() => adopted(files)))

test('what bot.yaml does not take is said', () => {
  const { notes, manifest } = adopted({
    Dockerfile: 'FROM x\nVOLUME /proc\n',
    'compose.yml': 'services: { bot: { build: . } }',
  })
  assert.match(notes, /Dockerfile:2: data is left out: should be|Dockerfile:2: data is left out: /)
  assert.is(manifest.data, undefined)
})

test('a list of packages in UTF-16 is read', () => {
  const { bot } = adopted({ 'requirements.txt': Buffer.from('\ufeffaiogram==3.0\n', 'utf16le') })
  assert.equal([...(bot.project.python?.dependencies.keys() ?? [])], ['aiogram'])
})

test('a name cannot end a comment, nor write to the terminal', () => {
  const { text, manifest } = adopted({
    'compose.yml':
      'services:\n  bot: { build: ., environment: { TOKEN: x, "A\\nmode: webhook #": y, B: "c\\nmode: webhook" } }\n',
    'a\u001b[2J\nmode: webhook/main.py': 'bot.set_webhook(x)\n',
  })
  assert.equal([manifest.mode, manifest.environment?.B], ['webhook', 'c\nmode: webhook'])
  assert.is(visible(text), text)
  assert.is(text.match(/^mode:/gm)?.length, 1)
})

test('a pipe in the place of a file does not stop it', async () => {
  const folder = repository({})
  for (const name of ['Dockerfile', 'compose.yml', '.env.example']) execFileSync('mkfifo', [join(folder, name)])
  assert.match(await adopt(folder, 'shop'), 'bot.yaml')
})

test('a place that is no folder is refused with what it is', async () => {
  const folder = repository({ file: '' })
  await refused(join(folder, 'none'), /^--adopt: no repository at \S+\/none: no such folder$/)
  await refused(join(folder, 'file'), /^--adopt: no repository at \S+\/file: no folder$/)
})

const refused = async (folder: string, message: RegExp) => {
  try {
    await adopt(folder, 'shop')
  } catch (error) {
    return assert.match((error as Error).message, message)
  }
  assert.unreachable('it was taken')
}

test.run()
