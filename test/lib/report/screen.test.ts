import { EventEmitter } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readText } from '../../../lib/inventory/read-text.ts'
import { isLive, liveScreen } from '../../../lib/report/screen.ts'
import { frame, stripControl } from '../../../lib/report/status-lines.ts'
import { local } from '../../../lib/shell/local.ts'
import { options, sshArguments } from '../../../lib/ssh/ssh-arguments.ts'
import { plain } from '../../../lib/std/colour.ts'
import { confirm } from '../../../lib/std/confirm-prompt.ts'
import { UsageError } from '../../../lib/std/errors.ts'
import { suggest } from '../../../lib/std/suggest.ts'
import { template } from '../../../lib/std/template.ts'

const folder = mkdtempSync(join(tmpdir(), 'screen-test-'))
test.after(() => rmSync(folder, { recursive: true }))

function terminal(columns = 40, rows = 10) {
  const written: string[] = []
  const stream = Object.assign(new EventEmitter(), {
    ...{ isTTY: true, columns, rows },
    write: (text: string) => {
      written.push(text)
      return true
    },
  })
  // Lines may go to stderr itself, of which the terminal is one.
  process.stderr.write = ((text: string) => stream.write(text)) as typeof process.stderr.write
  return { stream: stream as unknown as NodeJS.WriteStream, written }
}
const { write } = process.stderr
test.after.each(() => {
  process.stderr.write = write
})
const activity = (host: string, title = 'a: b', said = '') => ({ host, title, since: Date.now(), said })
const until = async (done: () => boolean) => {
  for (let i = 0; i < 500 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 10))
}

test('a terminal shows what is under way until nothing is, lines stay above it', async () => {
  const { stream, written } = terminal()
  const screen = liveScreen(stream, plain)
  screen.line('first')
  assert.equal(written, ['first\n'])
  screen.show([activity('vps1')])
  await until(() => written.length > 1)
  assert.match(written.slice(1).join(''), /vps1 {2}▸ a: b {2}0 s/)
  const drawn = written.length
  screen.line('second')
  assert.is(written.at(-1), 'second\n')
  assert.ok(written.slice(drawn, -1).join('').includes('\x1b['))
  screen.show([])
  screen.line('third')
  assert.equal(written.slice(-2), ['second\n', 'third\n'])
  screen.show([activity('vps1', 'x'.repeat(60), 'said')])
  const before = written.length
  await until(() => written.length > before)
  for (const line of written.slice(before).join('').split('\n')) assert.ok(stripVTControlCharacters(line).length <= 39)
  screen.close()
  const closed = written.length
  screen.show([])
  await new Promise((resolve) => setTimeout(resolve, 250))
  assert.is(written.length, closed)
})

test('a terminal of few rows is never full', async () => {
  const { stream, written } = terminal(40, 5)
  const screen = liveScreen(stream, plain)
  screen.show(Array.from({ length: 9 }, (_, i) => activity(`vps${i}`)))
  await until(() => written.length > 0)
  const text = written.join('')
  assert.match(text, '… and 7 more')
  assert.is((text.match(/▸/g) ?? []).length, 2)
  screen.close()
})

test('as many hosts as rows are all shown, the one that takes longest first', () => {
  const now = 100_000
  const hosts = [1, 2, 3].map((i) => ({ host: `h${i}`, title: 't', since: now - i * 1999, said: 'w' }))
  const at = (height: number, width = 40) =>
    frame(hosts, { width, height, now, paint: (style, text) => `<${style}${text}>` })
  assert.equal(at(3), ['h3  ▸ t<dim  5 s>', 'h2  ▸ t<dim  3 s>', 'h1  ▸ t<dim  1 s>'])
  assert.equal(at(4).slice(0, 2), ['h3  ▸ t<dim  5 s>', '<dim      w>'])
  assert.equal(at(1), ['… and 3 more'])
  assert.equal(at(0), ['… and 3 more'])
  assert.is(at(9, 12)[0], 'h3  ▸ t<dim  5 s>')
  assert.is(at(9, 11)[0], 'h3  ▸…<dim  5 s>')
  assert.is(
    frame([{ host: 'a', title: 't', since: now + 5000, said: '' }], { width: 40, height: 2, now, paint: plain })[0],
    'a  ▸ t  0 s',
  )
  assert.equal(
    [stripControl('a\tb  '), stripControl('a\u0007b'), stripControl('one\rtwo\r\r'), stripControl('')],
    ['a    b', 'ab', 'two', ''],
  )
})

test('only a terminal is drawn on', () => {
  assert.equal([isLive({ isTTY: true }, {}), isLive({}, {})], [true, false])
})

test('ssh is told the same whatever the operator’s ssh_config says', async () => {
  const config = join(folder, 'config')
  writeFileSync(
    config,
    'Host *\n ForwardAgent yes\n ForwardX11 yes\n RemoteCommand ls\n RequestTTY force\n StrictHostKeyChecking no\n ConnectTimeout 999\n ServerAliveInterval 0\n ServerAliveCountMax 99\n BatchMode no\n LocalForward 1 localhost:1\n LogLevel DEBUG\n User other\n Port 7\n',
  )
  const told = async (target: object) => {
    const args = sshArguments({
      name: 'x',
      ssh: 'ops@host:2222',
      sshConfig: config,
      acceptNew: false,
      fresh: true,
      ...target,
    })
    const { stdout } = await local`ssh -G ${args}`
    return new Map(stdout.split('\n').map((line) => [line.split(' ')[0], line.split(' ').slice(1).join(' ')]))
  }
  const settings = await told({})
  for (const [name, value] of [
    ['forwardagent', 'no'],
    ['forwardx11', 'no'],
    ['requesttty', 'false'],
    ['stricthostkeychecking', 'true'],
    ['connecttimeout', '15'],
    ['serveraliveinterval', '10'],
    ['serveralivecountmax', '3'],
    ['batchmode', process.stdin.isTTY ? 'no' : 'yes'],
    ['clearallforwardings', 'yes'],
    ['loglevel', 'ERROR'],
    ['user', 'ops'],
    ['port', '2222'],
    ['hostname', 'host'],
    ['controlmaster', 'false'],
  ])
    assert.is(settings.get(name), value, name)
  assert.not.ok(settings.has('remotecommand') && settings.get('remotecommand') !== 'none')
  assert.is((await told({ acceptNew: true })).get('stricthostkeychecking'), 'accept-new')
  assert.is((await told({ ssh: '[::1]' })).get('hostname'), '::1')
  assert.is((await told({ ssh: 'alias' })).get('user'), 'other')
  assert.equal(options({ A: '1', B: 'x y' }), ['-o', 'A=1', '-o', 'B=x y'])
  for (const ssh of ['-oX=y', '', 'a@-b', 'host:port'])
    assert.throws(
      () => sshArguments({ name: 'x', ssh, sshConfig: undefined, acceptNew: false }),
      (error: Error) =>
        error instanceof UsageError &&
        error.message === `"${ssh}" is not a host: an alias of ssh_config, or user@host:port`,
      ssh,
    )
})

test('connections are kept for a while in a folder of one’s own, or not', () => {
  const { XDG_RUNTIME_DIR, BOTGARDEN_CONTROL_PERSIST } = process.env
  const given = (fresh?: boolean) =>
    sshArguments({ name: 'x', ssh: 'x', sshConfig: undefined, acceptNew: false, ...(fresh && { fresh }) }).filter(
      (word) => word.startsWith('Control'),
    )
  const place = join(folder, `botgarden-${process.getuid?.()}`)
  try {
    process.env.XDG_RUNTIME_DIR = folder
    delete process.env.BOTGARDEN_CONTROL_PERSIST
    assert.equal(given(), ['ControlMaster=auto', 'ControlPersist=60', `ControlPath=${place}/%C`])
    assert.is(statSync(place).mode & 0o777, 0o700)
    chmodSync(place, 0o755)
    given()
    assert.is(statSync(place).mode & 0o777, 0o700)
    assert.equal(given(true), ['ControlMaster=no', 'ControlPath=none'])
    process.env.BOTGARDEN_CONTROL_PERSIST = '5'
    assert.ok(given().includes('ControlPersist=5'))
    process.env.BOTGARDEN_CONTROL_PERSIST = '0'
    assert.equal(given(), ['ControlMaster=no', 'ControlPath=none'])
    delete process.env.BOTGARDEN_CONTROL_PERSIST
    rmSync(place, { recursive: true })
    mkdirSync(join(folder, 'elsewhere'))
    symlinkSync('elsewhere', place)
    assert.throws(
      given,
      (error: Error) =>
        error.message ===
        `${place}: no place to keep connections in: it is no directory of yours: remove it, or set BOTGARDEN_CONTROL_PERSIST=0`,
    )
  } finally {
    rmSync(place, { force: true })
    for (const [name, value] of Object.entries({ XDG_RUNTIME_DIR, BOTGARDEN_CONTROL_PERSIST }))
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
  }
})

for (const [word, candidates, expected] of [
  ['ab', ['ba'], 'ba'],
  ['abc', ['abcdefghijkl'], 'abcdefghijkl'],
  ['ab', ['abcdefghijkl'], undefined],
  ['abcdef', ['abxxef'], 'abxxef'],
  ['abcdef', ['abxxxf'], undefined],
  ['abcde', ['abxxe'], undefined],
  ['abcd', ['bacd', 'abce'], 'bacd'],
  ['abdc', ['abcd'], 'abcd'],
  ['a', ['b'], undefined],
  ['ab', ['cd'], undefined],
  ['kitten', ['sitting'], undefined],
  ['abcdefghi', ['bcdefghiXY'], 'bcdefghiXY'],
  ['limit', ['unlimited', 'limits'], 'limits'],
] as const)
  test(`"${word}" among ${candidates} is ${expected ?? 'nothing'}`, () =>
    assert.is(suggest(word, candidates), expected === undefined ? '' : ` (did you mean "${expected}"?)`))

test('a file that cannot be read is named, with what to do', async () => {
  const said = (file: string) =>
    readText(file).then(
      () => 'read',
      ({ message }) => message.replaceAll(folder, ''),
    )
  mkdirSync(join(folder, 'hosts.d'))
  writeFileSync(join(folder, 'production.yaml'), '')
  writeFileSync(join(folder, 'production.txt'), '')
  assert.is(await said(join(folder, 'hosts.d')), '/hosts.d: this is a directory; name a file in it with --inventory')
  assert.is(
    await said(join(folder, 'producton.yaml')),
    '/producton.yaml: no such file (did you mean "production.yaml"?); name one with --inventory',
  )
  assert.is(await said(join(folder, 'none/x.yaml')), '/none/x.yaml: no such file; name one with --inventory')
  assert.is(await said(join(folder, 'production.yaml/x')), '/production.yaml/x: cannot be read (ENOTDIR)')
  const at = async (bytes: Buffer) => {
    writeFileSync(join(folder, 'x'), bytes)
    return said(join(folder, 'x'))
  }
  assert.match(await at(Buffer.from('a\nb\nc\0')), /^\/x:3:1: not text/)
  assert.match(await at(Buffer.from('a\n\0\nc')), /^\/x:2:1: not text/)
  assert.match(await at(Buffer.from([0x61, 10, 0xff, 10])), /^\/x:2:1: not UTF-8/)
  assert.match(await at(Buffer.from([0xff, 0xfe, 0x61])), /^\/x: UTF-16/)
  assert.match(await at(Buffer.from([0xfe, 0x61])), /^\/x:1:1: not UTF-8/)
  assert.match(await at(Buffer.from([0xff, 0x61])), /^\/x:1:1: not UTF-8/)
  assert.is(await at(Buffer.from('\ufeffé\n')), 'read')
  assert.is(await readText(join(folder, 'x')), 'é\n')
})

test('nothing is destroyed where nobody can be asked', async () => {
  if (process.stdin.isTTY) return
  const error = await confirm('remove all').catch((reason) => reason)
  assert.instance(error, UsageError)
  assert.is(error.message, 'remove all: there is no terminal to ask on; --yes says yes')
})

test('a template is filled in as it is, and a name that it is not given is a fault', () => {
  const file = join(folder, 't.mustache')
  writeFileSync(file, 'a {{b}} {{{c.d}}}{{#e}}{{f}}{{/e}}\n')
  const url = pathToFileURL(file)
  assert.is(template(url, { b: '<&">', c: { d: 'x' }, e: [{ f: 1 }, { f: 2 }] }), 'a <&"> x12\n')
  assert.throws(() => template(url, { c: { d: 'x' }, e: [] }), /t\.mustache: nothing is given for \{\{b\}\}/)
  assert.throws(() => template(url, { b: 'x', e: [] }), /nothing is given for \{\{c\.d\}\}/)
})

test.run()
