import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backupFlags } from '../../../commands/backup/index.ts'
import { deployFlags } from '../../../commands/deploy/index.ts'
import { restoreFlags } from '../../../commands/restore/index.ts'
import { flags, givenFlags, spellingOf } from '../../../lib/cli/flags.ts'
import { usage } from '../../../lib/cli/options.ts'
import {
  Bug,
  CommandFailed,
  ConnectError,
  HostError,
  InventoryError,
  Reverted,
  UsageError,
} from '../../../lib/std/errors.ts'

test('errors have the exit codes that the help tells, and names', () => {
  const errors = [
    new UsageError('m'),
    new InventoryError('m'),
    new HostError('m'),
    new ConnectError('m'),
    new Reverted('m'),
  ]
  assert.equal(
    errors.map(({ exitCode, name, message }) => [exitCode, name, message]),
    [
      [1, 'UsageError', 'm'],
      [1, 'InventoryError', 'm'],
      [3, 'HostError', 'm'],
      [4, 'ConnectError', 'm'],
      [5, 'Reverted', 'm'],
    ],
  )
  const bug = new Bug(new TypeError('oops'))
  assert.match(bug.message, /^this is a bug of botgarden:\nTypeError: oops\n +at /)
  assert.instance(bug.cause, TypeError)
  const silent = new CommandFailed('a', 1, 'cmd', ' \n').with('more')
  assert.equal(
    [silent.message, silent.notes, silent.step],
    ['a: exit code 1: cmd\nmore', ['more'], { ids: [], command: 'cmd', output: '' }],
  )
})

for (const [name, own] of Object.entries({ bot: deployFlags, backup: backupFlags, restore: restoreFlags }))
  test(`the help of ${name}.ts says what each of its own options does`, () => {
    const text = usage(name, 'does', { flags: own })
    for (const [option, { help }] of Object.entries<{ help: string }>(own)) {
      assert.match(help, /^[a-z"].{9,}/, option)
      assert.ok(text.includes(`  ${help}`), option)
    }
  })

test('the help says what each option does, and shows how they are used', () => {
  const text = usage('site', 'converges', {
    examples: [
      ['--x', 'why'],
      ['--longer', 'why not'],
    ],
  })
  for (const [name, flag] of Object.entries(flags)) {
    const line = text.split('\n').find((each) => each.includes(spellingOf(name, flag)))
    assert.match(line ?? name, / {2}[a-z]\S* .{4,}/)
    assert.ok(line?.endsWith(`  ${flag.help}`))
  }
  assert.match(text, /^site: converges\n\nusage: npx zx playbooks\/site\.ts \[options\]\n\noptions:\n/)
  assert.ok(
    text.endsWith('  npx zx playbooks/site.ts --x       # why\n  npx zx playbooks/site.ts --longer  # why not\n'),
  )
  assert.equal(
    ['inventory', 'limit', 'tags', 'forks', 'verbose', 'json', 'explain'].map((name) =>
      spellingOf(name, flags[name] ?? { help: '' }),
    ),
    [
      '-i, --inventory FILE',
      '-l, --limit HOST,GROUP',
      '    --tags ROLE,…',
      '    --forks N',
      '-v, --verbose',
      '    --json',
      '    --explain KEY',
    ],
  )
  for (const line of usage('site', '').split('\n').slice(-6, -1))
    assert.match(line, /^ {2}npx zx playbooks\/site\.ts -\S+ .* # .{15,}/)
  const own = usage('bot', '', { flags: { name: { value: 'BOT', help: 'which bot' } } })
  assert.match(own, /options:\n {6}--name BOT +which bot\n/)
})

test('what a playbook has not is not offered, and an exit code means what it says', () => {
  const text = usage('x', '', {
    examples: [['', '']],
    without: ['check', 'tags'],
    exitCodes: { 2: '', 3: 'a person is needed' },
  })
  assert.not.match(text, /^ +--(check|tags)/m)
  assert.match(text, '--limit')
  assert.match(text, /^ {2}1 {2}wrong usage.*\n {2}3 {2}a person is needed\n {2}4 {2}a host could not be reached$/m)
})

test('an unknown option of one letter is near to one of one letter', () => {
  const said = (word: string) => {
    try {
      givenFlags([word])
    } catch (error) {
      return (error as Error).message
    }
    return ''
  }
  assert.is(said('-V'), 'unknown option "-V" (did you mean "-v"?)')
  assert.is(said('-lx='), '')
  assert.is(said('-verbos'), 'unknown option "-verbos" (did you mean "--verbose"?)')
})

test.run()
