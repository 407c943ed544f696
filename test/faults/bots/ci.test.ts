// Needs a bare VPS of its own. The steps of the workflow that new-bot.ts writes are run by a real bash, on this machine in place of
// a runner of GitHub's, from a clone that holds the repository of a bot alone.
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse, stringify } from 'yaml'
import { removeVps, sshConfigFor } from '../../../sandbox/index.ts'
import { paths } from '../../../sandbox/machine/paths.ts'
import { run } from '../../support/runner.ts'
import { botHost } from '../../support/vps/bot-host.ts'

const host = 'ci'
const project = resolve(import.meta.dirname, '../../..')
const place = mkdtempSync(join(tmpdir(), 'botgarden-ci-'))
const [origin, hooked, kept] = [join(place, 'shop'), join(place, 'hooks'), join(place, 'botgarden')]
const there = botHost(host, ['shop'])

interface Workflow {
  readonly concurrency: unknown
  readonly permissions: unknown
  readonly jobs: { readonly deploy: { readonly env: Record<string, string>; readonly steps: readonly Step[] } }
}
interface Step {
  readonly name?: string
  readonly uses?: string
  readonly run?: string
  readonly if?: string
  readonly env?: Readonly<Record<string, string>>
}

const git = (...words: string[]) =>
  execFileSync('git', ['-C', origin, '-c', 'user.name=a', '-c', 'user.email=a@example.org', ...words], {
    encoding: 'utf8',
  }).trim()
const push = (text: string) => {
  writeFileSync(join(origin, 'src/version.ts'), `export const version = '${text}'\n`)
  git('add', '-A')
  git('commit', '--quiet', '--message', text)
  return git('rev-parse', 'HEAD')
}
const written = (): Workflow => parse(readFileSync(join(origin, '.github/workflows/deploy.yml'), 'utf8'))

/** How the host is reached from here: what an operator would have as address, key and known hosts. */
const access = () => {
  const config = readFileSync(sshConfigFor(host), 'utf8')
  const [, port = ''] = new RegExp(`^Host ${host}\\n(?:  .*\\n)*?  Port (\\d+)`, 'm').exec(config) ?? []
  return { port, key: readFileSync(paths.key, 'utf8'), knownHosts: readFileSync(paths.knownHosts, 'utf8') }
}
const inventory = (hooks: object = {}) => {
  const { vars } = parse(readFileSync(there.inventory(), 'utf8'))
  const bots = { shop: { host: 'vps1', hooks } }
  return stringify({
    vars,
    hosts: { vps1: { ssh: `root@127.0.0.1:${access().port}`, domain: `${host}.sandbox` } },
    bots,
  })
}

interface Ended {
  /** Of the step that failed, else 0. */
  readonly code: number
  readonly output: string
  readonly summary: string
}

/** Runs the `run:` steps of the workflow as a runner does: in a clone, each in a bash of its own, up to the first that fails. */
async function pushed(secrets: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const runner = mkdtempSync(join(place, 'runner-'))
  const [workspace, temp, summary] = ['work', 'temp', 'summary'].map((name) => join(runner, name)) as [
    string,
    string,
    string,
  ]
  mkdirSync(temp)
  writeFileSync(summary, '')
  execFileSync('git', ['clone', '--quiet', '--depth', '1', `file://${origin}`, workspace])
  const known = {
    BOTGARDEN_SSH_KEY: access().key,
    BOTGARDEN_KNOWN_HOSTS: access().knownHosts,
    BOTGARDEN_INVENTORY: inventory(),
    ...secrets,
  }
  const value = (text: string) =>
    text
      .replaceAll(/\$\{\{ secrets\.(\w+) \}\}/g, (_, name) => known[name as keyof typeof known] ?? '')
      .replaceAll('${{ runner.temp }}', temp)
  const valued = (env: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(env).map(([name, text]) => [name, value(String(text))]))
  const { env, steps } = written().jobs.deploy
  const around = {
    // The registry of packages is reached as this machine reaches it.
    ...process.env,
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    ...{ CI: 'true', GITHUB_WORKSPACE: workspace, RUNNER_TEMP: temp, GITHUB_STEP_SUMMARY: summary },
    ...{ ...valued(env), BOTGARDEN_REPOSITORY: project },
    BOTGARDEN_CONTROL_PERSIST: '0',
  }
  let [code, output] = [0, '']
  // The same commit of botgarden is got once: that takes a minute.
  if (existsSync(kept)) cpSync(kept, join(temp, 'botgarden'), { recursive: true, verbatimSymlinks: true })
  for (const step of steps) {
    if (step.name === 'Get botgarden' && existsSync(kept)) continue
    if (step.run === undefined || (code !== 0 && step.if !== 'always()')) continue
    const ended = await bash(step.run, workspace, { ...around, ...valued(step.env) })
    code ||= ended.code
    output += ended.output
  }
  if (code === 0 && !existsSync(kept))
    cpSync(join(temp, 'botgarden'), kept, { recursive: true, verbatimSymlinks: true })
  const left = execFileSync('ls', ['-A', temp], { encoding: 'utf8' })
  assert.not.match(left, /^garden$/m)
  return { code, output, summary: readFileSync(summary, 'utf8') }
}

function bash(script: string, cwd: string, env: NodeJS.ProcessEnv): Promise<{ code: number; output: string }> {
  return new Promise((done, failed) => {
    const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], { cwd, env })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (output += bytes))
    child.on('error', failed)
    child.on('close', (code) => done({ code: code ?? 1, output }))
  })
}

test.before(async () => {
  await there.begin()
  cpSync(join(project, 'bots/hello-bot'), origin, {
    recursive: true,
    filter: (path) => !/\/(node_modules|\.env)$/.test(path),
  })
  execFileSync('git', ['init', '--quiet', '--initial-branch', 'main', origin])
  const { code, stdout, stderr } = await run([
    ...['playbooks/new-bot.ts', '--name', 'shop', '--ci', 'github', '--in', origin],
    ...['--botgarden', 'https://git.example.org/botgarden.git'],
  ])
  if (code !== 0) throw new Error(stdout + stderr)
})
test.after(async () => {
  await removeVps(host)
  rmSync(place, { recursive: true })
})

test('the workflow gives nobody more than it needs', () => {
  const { concurrency, permissions, jobs } = written()
  assert.equal(permissions, { contents: 'read' })
  assert.equal(concurrency, { group: 'deploy-shop', 'cancel-in-progress': false })
  const actions = jobs.deploy.steps.flatMap(({ uses }) => uses ?? [])
  for (const action of actions) assert.match(action, /^actions\/(checkout|setup-node)@[0-9a-f]{40}$/)
  // Secrets are for the steps that need them, and are no part of a script, where a runner would paste them as text.
  assert.not.match(JSON.stringify(jobs.deploy.env), 'secrets.')
  for (const { run: script = '' } of jobs.deploy.steps) assert.not.match(script, '${{')
})

test('a push is released, with its commit, and told', async () => {
  const commit = push('one')
  const { code, output, summary } = await pushed({ SHOP_TOKEN: there.tokens.SHOP_TOKEN ?? '' })
  assert.is(code, 0, output)
  assert.match(summary, '### shop: released')
  assert.match(summary, /^ {4}release:shop: release botgarden\/shop:/m)
  assert.not.match(summary + output, there.tokens.SHOP_TOKEN ?? 'no token')
  assert.match(await there.inside('cat /var/lib/botgarden/bots/shop/current.json'), commit)
  assert.match(await there.answer('/help', 'shop'), '/start – say hello')
  const file = there.inventory({ shop: { host, source: origin } })
  const { stdout } = await there.deploy(['--name', 'shop', '--releases'], file)
  assert.match(stdout, `commit ${commit.slice(0, 12)}`)
})

test('the next push needs no token, and the same again changes nothing', async () => {
  const commit = push('two')
  assert.is((await pushed()).code, 0)
  assert.match(await there.inside('cat /var/lib/botgarden/bots/shop/current.json'), commit)
  const again = await pushed()
  assert.equal([again.code, /0 changes/.test(again.summary)], [0, true], again.output)
})

for (const [what, secrets, code, said] of [
  ['a secret that is not set', { BOTGARDEN_SSH_KEY: '' }, 1, '::error::the secret BOTGARDEN_SSH_KEY is not set'],
  ['an inventory that is none', { BOTGARDEN_INVENTORY: 'hosts: {}' }, 1, '::error::wrong usage or inventory'],
  ['a host that nobody knows', { BOTGARDEN_KNOWN_HOSTS: '# none' }, 4, '::error::the host could not be reached'],
] as const)
  test(`the run fails with its own exit code: ${what}`, async () => {
    const ended = await pushed(secrets)
    assert.is(ended.code, code, ended.output)
    assert.match(ended.output, said)
    assert.not.match(ended.output, 'PRIVATE KEY')
  })

test('a hook that fails stops the release before anything is touched; a check runs none', async () => {
  push('three')
  const before = await there.inside('cat /var/lib/botgarden/bots/shop/current.json')
  const containers = await there.inside('docker ps -a --format "{{.ID}}" | sort; docker images -q | sort')
  const failing = await pushed({
    BOTGARDEN_INVENTORY: inventory({ before: `echo tried >>${hooked}; exit 3`, after: `echo done >>${hooked}` }),
  })
  assert.is(failing.code, 3, failing.output)
  assert.match(failing.summary, 'bots.shop.hooks.before ended with exit code 3')
  assert.is(await there.inside('cat /var/lib/botgarden/bots/shop/current.json'), before)
  assert.is(await there.inside('docker ps -a --format "{{.ID}}" | sort; docker images -q | sort'), containers)
  assert.is(readFileSync(hooked, 'utf8'), 'tried\n')

  const hooks = { before: `echo before >>${hooked}`, after: `echo "$BOTGARDEN_RELEASE" >>${hooked}; exit 1` }
  const file = there.inventory({ shop: { host, source: origin, hooks } })
  const checked = await there.deploy(['--name', 'shop', '--check'], file)
  assert.is(checked.code, 2, checked.stderr)
  assert.is(readFileSync(hooked, 'utf8'), 'tried\n')
  const released = await there.deploy(['--name', 'shop'], file)
  assert.is(released.code, 0, released.stderr)
  assert.match(released.stderr, 'hooks.after ended with exit code 1: the release stays')
  const { id } = JSON.parse(await there.inside('cat /var/lib/botgarden/bots/shop/current.json'))
  assert.is(readFileSync(hooked, 'utf8'), `tried\nbefore\n${id}\n`)
})

test.run()
