import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const root = join(import.meta.dirname, '../../..')
const folder = mkdtempSync(join(tmpdir(), 'main-test-'))
test.after(() => rmSync(folder, { recursive: true }))

const ends: [name: string, body: string, code: number, stderr: RegExp][] = [
  ['a run that returns ends with 0, in silence', 'await main(async () => undefined)', 0, /^$/],
  ['the number that it returns is the exit code', 'await main(async () => 2)', 2, /^$/],
  [
    'what the operator must act on is a message, without a stack',
    `await main(() => { throw new UsageError('a: b') })`,
    1,
    /^a: b\n$/,
  ],
  [
    'each error has its exit code',
    `await main(async () => { throw new ConnectError('vps1: no route') })`,
    4,
    /^vps1: no route\n$/,
  ],
  [
    'a bug shows its stack',
    `await main(async () => { (undefined as never as string).length })`,
    70,
    /bug of botgarden[\s\S]*TypeError[\s\S]*at .*case-/,
  ],
  [
    'so does one that nobody waited for',
    `await main(async () => { Promise.reject(new Error('lost')); await new Promise((r) => setTimeout(r, 5000)) })`,
    70,
    /bug of botgarden[\s\S]*lost\n +at /,
  ],
  [
    'and one in a callback',
    `await main(async () => { setTimeout(() => { throw new Error('late') }); await new Promise((r) => setTimeout(r, 5000)) })`,
    70,
    /bug of botgarden[\s\S]*late\n +at /,
  ],
  ['a run that never settles is a failure', 'await main(() => new Promise(() => {}))', 70, /ended without finishing/],
  [
    'secrets are masked in messages',
    `const s = new Secret('hunter22'); await main(async () => { throw new UsageError('no ' + s.reveal()) })`,
    1,
    /^no \*\*\*\n$/,
  ],
  [
    'secrets are masked in stacks',
    `const s = new Secret('hunter22'); await main(async () => { throw new Error('no ' + s.reveal()) })`,
    70,
    /no \*\*\*/,
  ],
]
// Under npx zx, which is slow to start, only what node alone might do otherwise.
for (const [runner, cases] of [
  ['node', ends],
  ['npx zx', ends.filter(([name]) => /message|stack$|settles/.test(name))],
] as const) {
  for (const [name, body, code, stderr] of cases) {
    test(`${runner}: ${name}`, async () => {
      const result = await run(runner, body).ended
      assert.is(result.code, code, result.stderr)
      assert.match(result.stderr, stderr)
      assert.not.match(result.stderr, 'hunter22')
    })
  }
}

const waiting = `process.stdout.write('ready'); await new Promise((r) => setTimeout(r, 20_000))`

for (const [signal, code, line] of [
  ['SIGINT', 130, 'botgarden: stopped by Ctrl-C\n'],
  ['SIGTERM', 143, 'botgarden: stopped by SIGTERM\n'],
] as const) {
  test(`${signal} says what was under way and ends with ${code}`, async () => {
    const { child, ended } = run(
      'node',
      `onInterrupt(() => 'vps1: file:/etc/x'); await main(async () => { ${waiting} })`,
    )
    child.stdout?.once('data', () => child.kill(signal))
    assert.equal(await ended, { code, stdout: 'ready', stderr: `vps1: file:/etc/x\n${line}` })
  })
}

test('a second Ctrl-C does not wait for anything', async () => {
  const slow = `onInterrupt(() => { process.stdout.write('asked'); return new Promise((r) => setTimeout(r, 20_000, '')) })`
  const { child, ended } = run('node', `${slow}; await main(async () => { ${waiting} })`)
  child.stdout?.on('data', () => child.kill('SIGINT'))
  assert.equal(await ended, { code: 130, stdout: 'readyasked', stderr: '' })
})

test('what Ctrl-C tears down is not reported on top', async () => {
  const body = `let fail = () => {}; onInterrupt(() => { fail(); return 'x' }); await main(() => new Promise((_, no) => {
    fail = () => no(new ConnectError('gone')); setTimeout(() => {}, 20_000); process.stdout.write('ready') }))`
  const { child, ended } = run('node', body)
  child.stdout?.once('data', () => child.kill('SIGINT'))
  assert.equal(await ended, { code: 130, stdout: 'ready', stderr: 'x\nbotgarden: stopped by Ctrl-C\n' })
})

test('a reader that leaves early ends no run', async () => {
  const body = `await main(async () => { for (let i = 0; i < 50; i++) { process.stdout.write('x'.repeat(9999)); await new Promise((r) => setTimeout(r, 2)) } return 2 })`
  const { child, ended } = run('node', body)
  child.stdout?.once('data', () => child.stdout?.destroy())
  const { code, stderr } = await ended
  assert.equal({ code, stderr }, { code: 2, stderr: '' })
})

test.run()

interface End {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

let count = 0

function run(runner: string, body: string) {
  const file = join(folder, `case-${count++}.ts`)
  const imports = `import { main, onInterrupt } from '${root}/lib/cli/main.ts'
import { ConnectError, UsageError } from '${root}/lib/std/errors.ts'
import { Secret } from '${root}/lib/std/secret.ts'
void [main, onInterrupt, ConnectError, UsageError, Secret]`
  writeFileSync(file, `${imports}\n${body}\n`)
  const [program, ...args] = runner === 'node' ? [process.execPath] : ['npx', 'zx']
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, npm_config_loglevel: 'silent' }
  const child = spawn(program ?? '', [...args, file], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env })
  return { child, ended: endOf(child) }
}

function endOf(child: ChildProcess): Promise<End> {
  const end = { stdout: '', stderr: '' }
  child.stdout?.on('data', (data) => (end.stdout += data))
  child.stderr?.on('data', (data) => (end.stderr += data))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...end }))
  })
}
