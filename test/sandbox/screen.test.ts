// Needs a bare VPS of its own: `seen`. What an operator sees of the same run, wherever its output goes.
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshVps, inVps, removeVps } from '../../sandbox/index.ts'
import { inventoryOf, resultOf, run } from '../support/runner.ts'
import { onTerminal, screenAt, textOf } from '../support/terminal.ts'

const host = 'seen'
const site = ['playbooks/site.ts', '-i', inventoryOf(host), '--tags', 'ufw']
const zx = join(import.meta.dirname, '../../node_modules/zx/build/cli.js')
const esc = '\x1b'
const colour = new RegExp(`${esc}\\[[\\d;]*m`)
const moving = new RegExp(`${esc}\\[\\d*[ABGJK]`)

test.before(() => freshVps(host))
test.after(() => removeVps(host))

test('a failed step is told with its role, command, exit code and real output', async () => {
  await inVps(
    host,
    'mv /etc/apt/sources.list.d /root/kept; echo "deb http://nowhere.invalid/debian trixie main" >/etc/apt/sources.list.d.list',
  )
  await inVps(
    host,
    'mkdir /etc/apt/sources.list.d; mv /etc/apt/sources.list.d.list /etc/apt/sources.list.d/broken.list',
  )
  const plainly = await run(site)
  assert.is(plainly.code, 3, plainly.stderr)
  assert.match(plainly.stdout, /^seen {2}failed: package:ufw: install$/m)
  assert.match(plainly.stdout, /^ {4}role {7}ufw, roles\/ufw\/index\.ts:\d+$/m)
  assert.match(plainly.stdout, /^ {4}command {4}apt-get .*install -- ufw$/m)
  assert.match(plainly.stdout, /^ {4}exit code {2}100: apt failed$/m)
  assert.match(plainly.stdout, /^ {15}E: Failed to fetch http:\/\/nowhere\.invalid/m)
  assert.match(plainly.stderr, /^seen {2}✗ package:ufw: install \(/m)

  const { error, failure } = resultOf(await run([...site, '--json']), host)
  assert.match(error, /^package:ufw: install: exit code 100: apt-get/)
  assert.equal([failure.id, failure.role, failure.exitCode], ['package:ufw', 'ufw', 100])
  assert.match(failure.output, 'nowhere.invalid')
  await inVps(host, 'rm -r /etc/apt/sources.list.d; mv /root/kept /etc/apt/sources.list.d')
})

test('a check shows every change on a terminal, in colour, and no colour with NO_COLOR or into a pipe', async () => {
  const args = [...site, '--check', '--diff']
  const coloured = await onTerminal([zx, ...args])
  const bare = await onTerminal([zx, ...args], { env: { NO_COLOR: '1' } })
  const piped = await run(args)
  assert.equal([coloured.code, bare.code, piped.code], [2, 2, 2])
  const sent = ({ events }: typeof coloured) => events.map(([, text]) => text).join('')
  assert.match(sent(coloured), colour)
  assert.not.match(sent(bare), colour)
  assert.not.ok((piped.stdout + piped.stderr).includes(esc))
  const [one, other] = [await screenAt(coloured), await screenAt(bare)].map((lines) => lines.map(textOf).join('\n'))
  for (const line of ['would change  package:ufw: install', '    - absent', '    + installed'])
    assert.match(one ?? '', line)
  const untimed = (text = '') => text.replace(/\d+\.\d s/g, 'N s')
  assert.is(untimed(one), untimed(other))
})

test('a run on a terminal shows the step that runs with its last line, and leaves only what is done', async () => {
  const recording = await onTerminal([zx, ...site], { rows: 12 })
  assert.is(recording.code, 0)
  const moments = await Promise.all(recording.events.map(async ([at]) => (await screenAt(recording, at)).map(textOf)))
  const running = moments.filter((lines) =>
    lines.some((line) => /^seen {2}▸ package:ufw: install {2}\d+ s$/.test(line)),
  )
  assert.ok(running.some((lines) => /^ {8}(Unpacking|Setting up|Reading)/.test(lines.at(-1) ?? '')))
  const last = moments.at(-1) ?? []
  assert.equal(
    last.filter((line) => line.includes('▸')),
    [],
  )
  assert.ok(last.some((line) => /^seen {2}✓ package:ufw: install \(\d+\.\d s\)$/.test(line)))
  assert.match(last.at(-1) ?? '', /^seen {2}ok {2}ok 0 {2}changed \d+ {2}unknown 0 {2}failed 0 {2}\(/)
})

test('--json is one object on stdout, and says no more on a terminal than elsewhere', async () => {
  const piped = await run([...site, '--json'])
  assert.is(resultOf(piped, host).changed, 0)
  const { events } = await onTerminal([zx, ...site, '--json'])
  const text = events.map(([, each]) => each).join('')
  assert.not.match(text, moving)
  assert.is(JSON.parse(text.split('\n').find((line) => line.startsWith('{')) ?? '').playbook, 'site')
})

test.run()
