import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { statusPictures } from '../docs/status-pictures.ts'
import { type Flags, givenFlags } from '../lib/cli/flags.ts'
import { images } from '../lib/platform/image-versions.ts'
import { referenceNames } from '../roles/bot/spec/references.ts'
import { botManifestSchema } from '../roles/bot/spec/schema.ts'
import { parseOrder } from '../sandbox/cli/parse.ts'
import { run } from './playbooks/support.ts'
import { takenKeys } from './support/taken-keys.ts'

const root = join(import.meta.dirname, '..')
const files = globSync('{README,ARCHITECTURE,CONTRIBUTING,docs/*}.md', { cwd: root }).sort()
const text = (file: string) => readFileSync(join(root, file), 'utf8')

const commands = files.flatMap((file) =>
  [...text(file).matchAll(/npx zx (playbooks\/[\w-]+\.ts)((?:'[^'\n]*'|(?! +#)[^`\n|&;<>)'])*)/g)].map(
    ([, script = '', rest = '']) => ({ file, script, argv: (rest.match(/'[^']*'|\S+/g) ?? []).map(unquoted) }),
  ),
)

test('what the pages tell to type is found here: they have commands', () =>
  assert.ok(commands.length > 25, `${commands.length}`))

for (const script of new Set(commands.map((each) => each.script))) {
  test(`every documented command of ${script} is one that it takes`, async () => {
    assert.ok(existsSync(join(root, script)), `${script} does not exist`)
    const accepts = script === 'playbooks/sandbox.ts' ? parseOrder : await byHelp(script)
    for (const { file, argv } of commands.filter((each) => each.script === script)) {
      // Without arguments it says what it can do; that is for the playbook's own tests.
      if (argv.length > 0) assert.not.throws(() => accepts(argv), undefined, `${file}: ${script} ${argv.join(' ')}`)
    }
  })
}

test('every relative link leads to a file', () => {
  const broken = files.flatMap((file) =>
    [...text(file).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !existsSync(join(root, dirname(file), target)))
      .map((target) => `${file}: ${target}`),
  )
  assert.equal(broken, [])
})

/** What a reader makes for himself. */
const ofTheReader = ['inventory/production.yaml', 'bots/hello-bot/.env']

test('every path of the repository that is named is there', () => {
  const folders = 'playbooks|commands|roles|lib|sandbox|test|docs|inventory|bots|bench'
  const path = new RegExp(`^(?:(?:${folders})/[\\w./*-]*|[A-Z]+\\.md)$`)
  const missing = files.flatMap((file) =>
    [...text(file).matchAll(/`([^`\n]+)`/g)]
      .map(([, code = '']) => code)
      .filter((code) => path.test(code) && !/\b[A-Z]+\b(?!\.md)/.test(code) && !ofTheReader.includes(code))
      .filter((code) => globSync(code, { cwd: root }).length === 0)
      .map((code) => `${file}: ${code}`),
  )
  assert.equal(missing, [])
})

test('every message in the table of troubles is one of ours', () => {
  const [, table = ''] = /^### 12\. .*?\n(.*?)^## /ms.exec(text('docs/PLAN.md')) ?? []
  const cells = table.split('\n').flatMap((line) => /^\| (`.*?) \|/.exec(line)?.[1] ?? [])
  const messages = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code))
  const sources = globSync('{lib,roles,commands,bots/hello-bot/src}/**/*.{ts,sh}', { cwd: root }).map(text)
  const pieces = messages.flatMap((message) => message.split('…')).map((piece) => piece.trim())
  assert.ok(pieces.length > 20)
  assert.equal(
    pieces.filter((piece) => !sources.some((source) => source.replaceAll(/\$\{.*?\}/g, '').includes(piece))),
    [],
  )
})

test('the table of images has what is run, and nothing else', () => {
  const [, table = ''] = /^## Versions of images\n(.*?)^## /ms.exec(text('docs/PLAN.md')) ?? []
  const listed = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, image]) => image)
  const bases = [...text('bots/hello-bot/Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, image]) => image)
  assert.equal(listed.sort(), [...new Set([...Object.values(images), ...bases])].sort())
})

test('the table of bot.yaml has every key that it takes', () => {
  const [, table = ''] = /^\| key of `bot\.yaml`(.*?)\n\n/ms.exec(text('docs/PLAN.md')) ?? []
  const keys = table
    .split('\n')
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, key]) => key))
  assert.equal(keys.sort(), takenKeys(botManifestSchema).sort())
})

test('the page about bots has every reference', () => {
  const page = text('docs/bots.md')
  const [parts] = /^\| `\$\{database\.host\}`.*$/m.exec(page) ?? []
  const isThere = (name: string) => page.includes(`\${${name}}`) || parts?.includes(`\`.${name.split('.')[1]}\``)
  assert.equal(
    referenceNames.filter((name) => !isThere(name)),
    [],
  )
})

test('the bots that the page about bots shows are those that a test deploys', () => {
  const [, section = ''] = /^## I have a bot in …\n(.*?)^## /ms.exec(text('docs/bots.md')) ?? []
  const shown = [...section.matchAll(/`test\/bots\/([\w-]+)`.*?^```yaml\n(.*?)^```/gms)].map(([, name, yaml]) => [
    name,
    yaml,
  ])
  const folders = globSync('test/bots/*/bot.yaml', { cwd: root }).map((file) => [basename(dirname(file)), text(file)])
  assert.equal(shown.sort(), folders.sort())
})

test('the pictures of status.ts are what it shows', async () => {
  const [, height] = / height="(\d+)"/.exec(text('docs/status-light.svg')) ?? []
  for (const [name, picture] of Object.entries(await statusPictures(Number(height))))
    assert.is(text(`docs/${name}`), picture, `${name}: node docs/record-status.ts draws it anew`)
})

test('the start is two commands', () => {
  const [, start = ''] = /^## Start\n(.*?)^## /ms.exec(text('README.md')) ?? []
  assert.equal(/^```\n(.*?)^```/ms.exec(start)?.[1]?.trim().split('\n'), [
    'npm ci && npx zx playbooks/site.ts && npx zx playbooks/bot.ts --name hello-bot',
    'npm ci && npm test',
  ])
  assert.is(start.match(/^```/gm)?.length, 2)
})

/** The flags that a playbook shows in its help. */
async function byHelp(script: string): Promise<(argv: readonly string[]) => void> {
  const { stdout } = await run(script.replace(/^playbooks\/|\.ts$/g, ''), ['--help'])
  const options = [...stdout.matchAll(/^ +(?:-(\w), )?--([\w-]+)(?: (?:-- )?([A-Z]\S*))? {2}/gm)]
  assert.ok(options.length > 0, `no options in the help of ${script}`)
  const flags: Flags = Object.fromEntries(
    options.map(([row, short, name = '', value]) => {
      const takes = value === undefined ? {} : { [row.includes(' -- ') ? 'rest' : 'value']: value }
      return [name, { ...(short && { short }), ...takes, multiple: true, help: '' }]
    }),
  )
  return (argv) => givenFlags(argv, flags)
}

function unquoted(word: string): string {
  return word.replace(/^'(.*)'$/, '$1')
}

test.run()
