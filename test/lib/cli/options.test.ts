import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Options, parseOptions, scriptArguments, usage } from '../../../lib/cli/options.ts'
import { UsageError } from '../../../lib/std/errors.ts'
import { thrown } from '../../support/errors.ts'

const defaults: Options = {
  inventory: 'inventory/sandbox.yaml',
  check: false,
  diff: false,
  limit: [],
  tags: [],
  forks: 25,
  wait: false,
  acceptNew: false,
  json: false,
  showSecrets: false,
  explain: undefined,
  verbose: false,
  help: false,
  own: new Map(),
}

const right: [line: string, expected: Partial<Options>, env?: NodeJS.ProcessEnv][] = [
  ['', {}],
  ['', { inventory: 'prod.yaml' }, { BOTGARDEN_INVENTORY: 'prod.yaml' }],
  ['', {}, { BOTGARDEN_INVENTORY: '' }],
  ['-i a.yaml', { inventory: 'a.yaml' }, { BOTGARDEN_INVENTORY: 'prod.yaml' }],
  // A dash alone is no flag: --token-file - is stdin.
  ['-i -', { inventory: '-' }],
  ['--inventory=a.yaml', { inventory: 'a.yaml' }],
  [
    '--check --diff --json -v -h --accept-new',
    { check: true, diff: true, json: true, verbose: true, help: true, acceptNew: true },
  ],
  ['--check --check', { check: true }],
  ['-l vps1,vps2 --limit core', { limit: ['vps1', 'vps2', 'core'] }],
  ['--tags ufw,nginx', { tags: ['ufw', 'nginx'] }],
  ['--forks 3', { forks: 3 }],
  ['-vl vps1', { verbose: true, limit: ['vps1'] }],
]
for (const [line, expected, env = {}] of right) {
  test(`takes "${line}" with ${JSON.stringify(env)}`, () => {
    assert.equal(parseOptions(words(line), env), { ...defaults, ...expected })
  })
}

const wrong: [argv: string[], message: string][] = [
  [['--chek'], 'unknown option "--chek" (did you mean "--check"?)'],
  [['--quite-other'], 'unknown option "--quite-other"'],
  [['--no-such=1'], 'unknown option "--no-such"'],
  [['--__proto__'], 'unknown option "--__proto__"'],
  [['--constructor'], 'unknown option "--constructor"'],
  [['-check'], 'unknown option "-check" (did you mean "--check"?)'],
  [['-limit', 'vps1'], 'unknown option "-limit" (did you mean "--limit"?)'],
  [['-x'], 'unknown option "-x"'],
  [['-i'], '-i needs a value: -i FILE'],
  [['--inventory', '--check'], '--inventory needs a value: --inventory FILE'],
  [['--limit='], '--limit has an empty value; it takes HOST,GROUP'],
  [['-i', ''], '-i has an empty value; it takes FILE'],
  [['--limit', 'a,,b'], '--limit: a name is missing in "a,,b"'],
  [['--forks', '0'], '--forks: should be a whole number of at least 1, found "0"'],
  [['--forks', 'all'], '--forks: should be a whole number of at least 1, found "all"'],
  [['--check=yes'], '--check takes no value, but has "yes"'],
  [['-i', 'a', '-i', 'b'], '-i is given twice; it takes one FILE'],
  [['vps1'], 'unexpected "vps1" (did you mean "--limit vps1"?)'],
  [['--check', 'vps1'], 'unexpected "vps1" (did you mean "--limit vps1"?)'],
  [['prod.yaml'], 'unexpected "prod.yaml" (did you mean "--inventory prod.yaml"?)'],
  [['--', '--check'], 'unexpected "--check"'],
]
for (const [argv, message] of wrong) {
  test(`refuses ${JSON.stringify(argv)}`, () => {
    const error = thrown(() => parseOptions(argv, {}), UsageError)
    const [first, last, ...more] = error.message.split('\n')
    assert.ok(first?.startsWith(message), first)
    assert.is(last, 'see: npx zx playbooks/site.ts --help')
    assert.equal(more, [])
  })
}

test('a flag that takes what follows -- takes all of it, and no other flag does', () => {
  const own = { exec: { rest: 'COMMAND', help: '' }, all: { help: '' } }
  const given = (...argv: string[]) => parseOptions(argv, {}, 'bot', own)
  const { own: found, check } = given('--exec', '-i', 'a', '--', 'ls', '-la', '--check', '', '--', 'x y')
  assert.equal([found.get('exec'), check], [['ls', '-la', '--check', '', '--', 'x y'], false])
  for (const argv of [['--exec'], ['--exec', '--'], ['--exec', 'ls'], ['--exec', '--all']])
    assert.match(thrown(() => given(...argv), UsageError).message, /^--exec needs COMMAND: --exec -- COMMAND\n/)
  assert.match(thrown(() => given('--all', '--', 'ls'), UsageError).message, /^unexpected "ls"/)
  assert.match(thrown(() => given('--exec=x', '--', 'ls'), UsageError).message, /^unexpected "ls"|takes no value/)
  assert.match(usage('bot', '', { flags: own, examples: [['', '']] }), / {2}--exec -- COMMAND /)
})

test('an error names the playbook that was run', () => {
  assert.match(thrown(() => parseOptions(['-x'], {}, 'bot'), UsageError).message, 'playbooks/bot.ts --help')
})

const npm = { npm_command: 'exec' }
const lines: [line: string, env: NodeJS.ProcessEnv, expected: string[]][] = [
  ['node node_modules/.bin/zx playbooks/site.ts --check -v', npm, ['--check', '-v']],
  ['node node_modules/.bin/zx -- playbooks/site.ts --check', npm, ['--check']],
  ['node /there/playbooks/site.ts --check', {}, ['--check']],
  ['node node_modules/.bin/zx other.ts --check', npm, ['other.ts', '--check']],
  // Settings of npm's own, as an npmrc may hold them, and names that are not ours.
  [
    'node zx site.ts',
    { ...npm, npm_config_json: 'true', npm_config_diff: 'a', npm_config_yes: 'true', npm_config_tag: 'next' },
    [],
  ],
  ['node zx site.ts', { ...npm, npm_config_check: '' }, []],
  ['node zx site.ts', { npm_config_check: 'true' }, []],
]
for (const [line, env, expected] of lines) {
  test(`finds the arguments in "${line}" with ${JSON.stringify(env)}`, () => {
    assert.equal(scriptArguments(line.split(' '), env, 'site.ts'), expected)
  })
}

const lost: [line: string, env: NodeJS.ProcessEnv, flags: string][] = [
  ['node zx --check playbooks/site.ts', npm, '--check'],
  ['node zx --limit vps1 playbooks/site.ts --diff', npm, '--limit vps1'],
  ['node zx --verbose playbooks/site.ts', {}, '--verbose'],
  ['node zx playbooks/site.ts', { ...npm, npm_config_check: 'true' }, '--check'],
  ['node zx playbooks/site.ts', { npm_command: 'run', npm_config_limit: 'vps1' }, '--limit vps1'],
  ['node zx playbooks/site.ts', { ...npm, npm_config_accept_new: 'true' }, '--accept-new'],
]
for (const [line, env, flags] of lost) {
  test(`refuses to lose ${flags}: "${line}" with ${JSON.stringify(env)}`, () => {
    const error = thrown(() => scriptArguments(line.split(' '), env, 'site.ts'), UsageError)
    assert.is(
      error.message,
      `"${flags}" comes before the script, where it has no effect; type: npx zx playbooks/site.ts ${flags}`,
    )
  })
}

test('the help names every option, every exit code, and the playbook', () => {
  const text = usage('site', 'converges the host')
  for (const part of [
    '-i, --inventory FILE',
    '--check',
    '--diff',
    '-l, --limit',
    '--tags',
    '--accept-new',
    '--json',
    '-v, --verbose',
  ])
    assert.match(text, part)
  for (const code of [0, 1, 2, 3, 4, 5, 70, 130]) assert.match(text, new RegExp(`^ +${code} `, 'm'))
  assert.match(text, 'npx zx playbooks/site.ts --check --diff')
  for (const line of text.split('\n')) assert.ok(line.length <= 100, line)
})

test('an option that means nothing to a playbook is refused there', () => {
  assert.throws(
    () => parseOptions(['--check'], {}, 'x', {}, ['check']),
    /^x\.ts has no --check\nsee: npx zx playbooks\/x\.ts --help$/,
  )
  assert.is(parseOptions(['--limit', 'a'], {}, 'x', {}, ['check']).check, false)
})

test.run()

function words(line: string): string[] {
  return line.split(' ').filter((word) => word !== '')
}
