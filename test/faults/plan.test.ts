// Needs a bare VPS of its own: `plan`, the sandbox's certificate authority and its Telegram. docs/PLAN.md as it is written, and
// docs/operations.md after it: their blocks marked `sh sandbox`, one after the other, each with the output that the page promises.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { stringify } from 'yaml'
import { local } from '../../lib/shell/local.ts'
import { acmeRoots, freshVps, removeVps, sshConfigFor, telegramControlUrl } from '../../sandbox/index.ts'
import { telegramAt } from '../../sandbox/telegram/client.ts'
import { addressOf } from '../support/vps/ssh.ts'

const host = 'plan'
const domain = 'plan.sandbox'
const telegram = 'http://telegram.sandbox:8081'
const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'plan-test-'))
const env: Record<string, string> = {}

/** What is the reader's own on the page, and the sandbox's here. */
const inSandbox = (text: string) =>
  text.replaceAll('bots.example.org', domain).replaceAll('https://api.telegram.org', telegram)

interface Block {
  readonly file: string
  readonly line: number
  readonly command: string
  /** Lines with `…` for whatever stands there. */
  readonly output: readonly string[]
}

const fences = /^```sh sandbox\n(.*?)^```\n(?:\n?```text\n(.*?)^```\n)?/gms
const blocks = ['docs/PLAN.md', 'docs/operations.md'].flatMap((file): Block[] => {
  const page = readFileSync(join(root, file), 'utf8')
  return [...page.matchAll(fences)].map(({ index, 1: command = '', 2: output = '' }) => ({
    file,
    line: page.slice(0, index).split('\n').length + 1,
    command: inSandbox(command),
    output: inSandbox(output).split('\n').filter(Boolean),
  }))
})

test.before(async () => {
  await freshVps(host)
  const { token } = await telegramAt(await telegramControlUrl()).ensureBot('plan-hello')
  const sshConfig = join(folder, 'ssh_config')
  const entries = readFileSync(sshConfigFor(host), 'utf8').split(/^(?=Host )/m)
  const entry = entries.find((each) => each.startsWith(`Host ${host}\n`)) ?? ''
  writeFileSync(sshConfig, entry.replace(host, 'vps1'))
  // ssh and curl as the reader has them: with an alias, and with a name and a root that the world knows.
  const ssh = join(folder, 'ssh')
  writeFileSync(ssh, `#!/bin/sh\nPATH=\${PATH#*:} exec ssh -F ${sshConfig} "$@"\n`)
  chmodSync(ssh, 0o755)
  writeFileSync(join(folder, 'roots.pem'), await acmeRoots())
  writeFileSync(
    join(folder, '.curlrc'),
    `cacert = "${folder}/roots.pem"\nresolve = "${domain}:443:${await addressOf(host)}"\n`,
  )
  const inventory = join(folder, 'production.yaml')
  writeFileSync(
    inventory,
    stringify({
      sshConfig,
      vars: {
        docker: { registryMirrors: ['http://mirror.sandbox:5000'] },
        nginx: { telegram: ['10.212.0.0/16'] },
        certbot: { server: 'https://pebble.sandbox:14000/dir', authority: '.sandbox/acme-ca.pem' },
        bot: { telegram, settle: 2, drain: 2 },
      },
      hosts: { vps1: { ssh: 'vps1', domain } },
      bots: { 'hello-bot': { host: 'vps1', source: 'bots/hello-bot' } },
    }),
  )
  Object.assign(env, process.env, {
    PATH: `${folder}:${process.env.PATH}`,
    CURL_HOME: folder,
    XDG_CACHE_HOME: folder,
    BOTGARDEN_INVENTORY: inventory,
    HELLO_BOT_TOKEN: token,
    NO_COLOR: '1',
  })
})
test.after(async () => {
  rmSync(folder, { recursive: true })
  await removeVps(host)
})

test('the pages have a story to tell', () => assert.ok(blocks.length >= 12, `${blocks.length} blocks`))

let broken = false
for (const { file, line, command, output } of blocks) {
  test(`${file}:${line}: ${command.split('\n')[0]}`, async () => {
    if (broken) throw new Error('a block before it failed')
    broken = true
    const here = local({ quiet: true, nothrow: true, cwd: root, env })
    const { exitCode, stdout, stderr } = await here`timeout 300 sh -ec ${command}`
    const said = `${stdout}${stderr}`
    // A check that would change something is no failure.
    assert.ok(exitCode === 0 || (exitCode === 2 && command.includes('--check')), `exit code ${exitCode}\n${said}`)
    const lines = said.split('\n').map(withoutGaps)
    for (const promised of output)
      assert.ok(
        lines.some((each) => patternOf(promised).test(each)),
        `no line "${promised}" in\n${said}`,
      )
    broken = false
  })
}

/** Columns are as wide as what stands in them. */
function withoutGaps(line: string): string {
  return line.trim().replaceAll(/ +/g, ' ')
}

function patternOf(promised: string): RegExp {
  const parts = withoutGaps(promised)
    .split('…')
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('.*')}$`)
}

test.run()
