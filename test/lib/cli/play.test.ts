// A playbook from its command line to its last line, on a host that is a shell on this machine.
import { existsSync, writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { type Playbook, play } from '../../../lib/cli/play.ts'
import { role } from '../../../lib/model/role.ts'
import { file } from '../../../lib/resources/file.ts'
import { local } from '../../../lib/shell/local.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { ask } from '../../../lib/ssh/exec.ts'
import { type StandIn, standIn } from '../../support/stand-in.ts'

const test = suite('a playbook')
const owner = (await local`id -un`).stdout.trim()
const group = (await local`id -gn`).stdout.trim()
let host: StandIn
test.before.each(() => {
  host = standIn()
})
test.after.each(() => host.remove())

const vars = v.strictObject({ text: v.optional(v.string(), 'text\n') })
const greet = role('greet', vars, ({ text }, _, { name }) => [
  file(host.at(`/srv-${name}`), { content: text, owner, group }),
])
const other = role('other', v.strictObject({}), () => [])

/** A playbook listens for what ends its process: this one goes on. */
function listening(): () => void {
  const emitters = [process, process.stdout, process.stderr].map((emitter) => emitter as NodeJS.EventEmitter)
  const events = ['exit', 'SIGINT', 'SIGTERM', 'uncaughtException', 'unhandledRejection', 'error']
  const before = emitters.map((emitter) => events.map((event) => emitter.listeners(event)))
  return () => {
    for (const [i, emitter] of emitters.entries())
      for (const [j, event] of events.entries())
        for (const listener of emitter.listeners(event))
          if (!before[i]?.[j]?.includes(listener)) emitter.removeListener(event, listener as () => void)
  }
}

/** What one run prints and ends with, in this process. */
async function played(argv: string, more: Partial<Playbook> = {}, inventory = 'hosts: { vps1: }') {
  writeFileSync(host.at('inventory.yaml'), inventory)
  const before = { argv: process.argv, out: process.stdout.write, err: process.stderr.write, code: process.exitCode }
  const { BOTGARDEN_INVENTORY, NO_COLOR } = process.env
  const said = { stdout: '', stderr: '' }
  const unheard = listening()
  process.argv = ['node', 'zx', 'greet.ts', ...argv.split(' ').filter(Boolean)]
  process.env.BOTGARDEN_INVENTORY = host.at('inventory.yaml')
  process.env.NO_COLOR = '1'
  for (const name of ['stdout', 'stderr'] as const)
    process[name].write = ((text: string) => {
      said[name] += text
      return true
    }) as typeof process.stdout.write
  try {
    await play({ name: 'greet', summary: 'greets', roles: [greet, other], allRoles: [greet, other], ...more })
    const code = process.exitCode
    const plain = (text: string) => text.replaceAll(host.folder, '').replace(/\d+\.\d s/g, 'N s')
    return { code, stdout: plain(said.stdout), stderr: plain(said.stderr) }
  } finally {
    process.argv = before.argv
    process.stdout.write = before.out
    process.stderr.write = before.err
    process.exitCode = before.code
    unheard()
    for (const [name, value] of Object.entries({ BOTGARDEN_INVENTORY, NO_COLOR }))
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
  }
}

test('a check, a run and another one', async () => {
  const check = await played('--check --diff')
  assert.equal(
    [check.code, check.stdout.split('\n')],
    [
      2,
      [
        ...[
          'vps1  would change  file:/srv-vps1: create',
          '    --- /dev/null',
          '    +++ /srv-vps1',
          '    @@ -0,0 +1,1 @@',
        ],
        ...['    +text', 'vps1  ok  ok 0  would change 1  unknown 0  failed 0  (N s, 1 round trip)', ''],
      ],
    ],
  )
  assert.not.ok(existsSync(host.at('/srv-vps1')))
  const run = await played('')
  assert.equal([run.code, run.stdout], [0, 'vps1  ok  ok 0  changed 1  unknown 0  failed 0  (N s, 2 round trips)\n'])
  assert.match(run.stderr, /^vps1 {2}connected: .*\nvps1 {2}▸ file:\/srv-vps1: create\nvps1 {2}✓ file/)
  assert.is(host.read('/srv-vps1'), 'text\n')
  const again = await played('--tags greet')
  assert.equal([again.code, again.stdout], [0, 'vps1  ok  ok 1  changed 0  unknown 0  failed 0  (N s, 1 round trip)\n'])
  const none = await played('--tags other')
  assert.match(none.stdout, /^vps1 {2}ok {2}ok 0 {2}changed 0/)
})

test('for programs there is one object, and nothing else on stdout', async () => {
  const { code, stdout } = await played('--json --check', {}, 'hosts: { vps1: , vps2: }')
  const { hosts, seconds, ...rest } = JSON.parse(stdout)
  assert.equal([code, rest, Object.keys(hosts)], [2, { playbook: 'greet', check: true, outputs: {} }, ['vps1', 'vps2']])
  assert.ok(seconds > 0 && seconds < 1000)
  assert.is(hosts.vps1.changes[0].role, 'greet')
  assert.is(stdout.split('\n').length, 2)
  const limited = await played('--json --limit vps2', {}, 'hosts: { vps1: , vps2: }')
  assert.equal([limited.code, Object.keys(JSON.parse(limited.stdout).hosts)], [0, ['vps2']])
  assert.is(host.read('/srv-vps2'), 'text\n')
})

test('an explanation touches no host', async () => {
  const inventory = 'hosts: { vps1: { greet: { text: hi } } }'
  const { code, stdout } = await played('--explain greet.text', {}, inventory)
  assert.equal([code, stdout], [0, 'greet.text\n  vps1  "hi"  (host vps1, /inventory.yaml:1:27)\n'])
  const json = await played('--explain greet.text --json', {}, inventory)
  assert.equal(JSON.parse(json.stdout).explained[0].value, 'hi')
  assert.not.ok(existsSync(host.at('ssh.log')))
})

test('help, and what is wrong before any host is asked', async () => {
  const help = await played('--help', { flags: { quiet: { help: 'say nothing' } } })
  assert.equal([help.code, help.stdout.split('\n')[0], help.stdout.includes('--quiet')], [0, 'greet: greets', true])
  const tag = await played('--tags greets')
  assert.equal(tag, {
    code: 1,
    stdout: '',
    stderr: 'unknown role "greets" (did you mean "greet"?): this playbook has greet, other\n',
  })
  const config = await played('', {}, 'sshConfig: none\nhosts: { vps1: }')
  assert.equal(config, { code: 1, stdout: '', stderr: '/inventory.yaml: sshConfig: no such file: /none\n' })
  const down = await played('', {}, 'sandbox: true\nsshConfig: none\nhosts: { vps1: }')
  assert.match(down.stderr, /: \/none; the throwaway VPS is down: npx zx playbooks\/site\.ts starts it\n$/)
  assert.not.ok(existsSync(host.at('ssh.log')))
})

test('a throwaway VPS is started first, and only where the inventory says so', async () => {
  const sandboxUp = async ({ progress }: { progress: (line: string) => void }) => progress('up it goes')
  const { stderr } = await played('--check', { sandboxUp }, 'sandbox: true\nhosts: { vps1: }')
  assert.match(stderr, /^up it goes\nvps1 {2}connected/)
  assert.not.match((await played('--check', { sandboxUp })).stderr, 'up it goes')
})

test('a procedure of its own, with its own flags, in several stages', async () => {
  const own: Partial<Playbook> = {
    flags: { twice: { help: 'do it twice' }, quiet: { help: 'say nothing' } },
    run: async ({ converge, connected, hosts, options, report, inventory }, roles) => {
      const [first] = hosts
      if (first === undefined) return 9
      report.line(`${inventory.hosts.length} ${options.own.has('twice')}`)
      const code = await converge(hosts, roles)
      await converge(hosts, async (each, connection) => [role(each.name + connection.facts.os, v.any(), () => [])])
      return code + Number((await connected(first, (connection) => ask(connection, sh`echo 40`))).trim())
    },
  }
  const { code, stdout, stderr } = await played('--twice', own)
  assert.equal([code, stdout.trim().split('\n').length, stderr.split('\n')[0]], [40, 2, '1 true'])
  const json = await played('--json', own)
  assert.equal(JSON.parse(json.stdout).hosts.vps1.roundTrips, 2)
  const quiet = await played('--quiet', own)
  assert.equal([quiet.stderr, quiet.stdout.includes('vps1  ok')], ['', true])
  const failing = await played('--json', { run: async () => Promise.reject(new Error('oops')) })
  assert.equal([failing.code, failing.stdout], [70, ''])
})

test.run()
