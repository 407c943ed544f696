// A stand-in for ssh, which answers as no host of ours would: each is an error that names the host, and ends.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { start } from '../../support/runner.ts'

const folder = mkdtempSync(join(tmpdir(), 'ssh-test-'))
test.after(() => rmSync(folder, { recursive: true }))
mkdirSync(join(folder, 'bin'))

const facts = `os=debian
version=13
osName=Debian
architecture=amd64
memoryKiB=1048576
cpus=1
container=
ipv6=
addresses=192.0.2.1
resolvers=192.0.2.53
address=192.0.2.1
timers=
mesh=
swarm=
booting=
`
// Answers the facts, then a reading where nothing is there, and then, to a stage, whatever the test says; after that again.
writeFileSync(
  join(folder, 'bin/ssh'),
  `#!${process.execPath}
const [login, facts] = ['botgarden login 192.0.2.9 50000 192.0.2.1 22 root\\n', ${JSON.stringify(facts)}]
if (process.argv.includes('-G')) process.exit(0)
process.stdout.write(login)
let asked = '', requests = 0
process.stdin.on('data', (data) => {
  asked += data
  for (;;) {
    const done = /printf '\\\\036%s %s\\\\n' (\\w+) "done \\$\\?"\\n/.exec(asked)
    if (!done) return
    const request = asked.slice(0, done.index)
    asked = asked.slice(done.index + done[0].length)
    const mark = (words) => '\\x1e' + done[1] + ' ' + words + '\\n'
    const stage = /^step_0\\(/m.test(request)
    if (requests++ === 0) process.stdout.write(facts + mark('done 0'))
    else if (!stage) process.stdout.write(mark('read file') + mark('done 0'))
    else process.stdout.write(process.env.ANSWER.split('|').map((each) => each.startsWith('@') ? mark(each.slice(1)) : each).join(''))
  }
})
process.stdin.on('end', () => process.exit(0))
`,
  { mode: 0o755 },
)
const inventory = join(folder, 'x.yaml')
writeFileSync(inventory, 'vars: { flood: { script: ":" } }\nhosts: { vps1: { ssh: root@192.0.2.1 } }\n')

for (const [what, answer, said] of [
  ['done, and nothing of its step', '@read file|@done 0', /says that all is done, and nothing of flood: print/],
  ['done, and no reading', '@begin 0|@end 0 0|@done 0', /the host answers, but not about file/],
  ['a reading that is none', '@begin 0|@end 0 0|@read file|stat: what?\n|@done 0', /cannot be read: stat: what\?/],
  ['a status that is none', '@begin 0|@end 0 0|@read file|@done', /exit status ""/],
  ['a status that is no number', '@begin 0|@end 0 0|@done NaN', /exit status "NaN"/],
  ['a mark without an end', `@begin 0 ${'x'.repeat(10_000)}`, /a mark without an end/],
] as const)
  test(`a host that answers ${what}`, async () => {
    const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH}`, ANSWER: answer }
    const { child, ended } = start(['test/support/vps/flood.ts', '-i', inventory], env)
    // It went on for ever before.
    const patience = setTimeout(() => child.pid && process.kill(-child.pid, 'SIGKILL'), 60_000)
    const { code, stdout, stderr } = await ended
    clearTimeout(patience)
    assert.is(code, 3, stdout + stderr)
    assert.match(stdout, said)
  })

test.run()
