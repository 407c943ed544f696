// The containers, the web server's configuration and its certificates: the scripts in a real sh, the engine a stub.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import {
  certificateState,
  installPair,
  isAddress,
  sameNames,
  selfSigned,
  setChangedAside,
  subjectName,
} from '../../../lib/platform/certificate.ts'
import { nginxFile, nginxReload, nginxReloaded, nginxState, reloadFunction } from '../../../lib/platform/nginx.ts'
import { composeFile, composeProject, composeUp, hardened, mount } from '../../../lib/resources/compose.ts'
import { configLabel, containerState } from '../../../lib/resources/container.ts'
import { type Bench, bench, changesOf } from '../../support/bench.ts'
import { planOf } from '../../support/plan-of.ts'

const project = { name: 'x', folder: '/opt/x', service: { image: 'y:1', labels: { a: 'b' } } }
const right = { status: 'running', health: '', config: composeFile(project).checksum }
const containerOf = (more = {}) => composeProject({ ...project, ...more }).at(-1) ?? assert.unreachable()

for (const [state, expected] of [
  [right, []],
  ['absent', ['create']],
  [{ ...right, config: 'old' }, ['recreate, as its compose.yaml says']],
  [{ ...right, status: 'exited' }, ['start, since it is exited']],
  [{ ...right, status: 'restarting' }, ['start, since it is restarting']],
  [{ ...right, health: 'unhealthy' }, ['restart, since it is unhealthy']],
  [{ ...right, health: 'starting' }, []],
] as const)
  test(`a container that is ${JSON.stringify(state)}: ${expected.join() || 'nothing'}`, () => {
    const planned = planOf([containerOf() as never], { 'image:y:1': true, 'container:x': state })
    assert.equal(
      planned,
      expected.map((summary) => `container:x: ${summary}`),
    )
  })

test('a container without its image is refused', () => {
  assert.throws(
    () => planOf([containerOf() as never], { 'container:x': 'absent' }),
    /container x: there is no image y:1, and nothing in this playbook provides it/,
  )
})

const engine =
  '[ ! -e /run/fails ] || case "$*" in *" up "*) exit 1 ;; esac; case "$*" in logs*) echo last words ;; *Health*) [ ! -e /run/unknown ] && echo ill ;; *inspect*) [ ! -e /run/unknown ] && echo state exited ;; esac'

test('a container is brought up and waited for; one that ends says its last words', async () => {
  const host = bench(['/opt', '/run'], { docker: engine })
  const calls = async (state: unknown) => {
    const [change] = changesOf([containerOf() as never], { 'image:y:1': true, 'container:x': state })
    const { code, output } = await host.run(`set -e\n${change?.script.text}`)
    return { code, output, calls: host.calls(), long: change?.long }
  }
  const up =
    'docker compose -f /opt/x/compose.yaml up --detach --wait --wait-timeout 120 --remove-orphans --no-build --pull never --quiet-pull'
  assert.equal(await calls('absent'), { code: 0, output: '', calls: [up], long: true })
  assert.equal((await calls({ ...right, status: 'restarting' })).calls, ['docker stop x', up])
  assert.equal((await calls({ ...right, health: 'unhealthy' })).calls, ['docker restart x', up])
  assert.equal((await calls({ ...right, status: 'exited' })).calls, [up])
  host.write('/run/fails', '')
  const failed = await calls('absent')
  assert.equal([failed.code, failed.output], [1, 'state exited\nill\nlast words\n'])
  assert.match(failed.calls[1] ?? '', /inspect --format state .*exit code .*out of memory.* x$/)
  assert.match(failed.calls.at(-1) ?? '', /^docker logs --tail 20 x$/)
  host.write('/run/unknown', '')
  const gone = await calls('absent')
  assert.equal([gone.code, gone.output], [1, 'last words\n'])
  assert.ok(composeUp('x', '/y').shown.includes('/y'))
  host.remove()
})

test('a compose file names its container, brings it back at every boot, and carries its checksum', () => {
  const { text, checksum } = composeFile({ ...project, more: { networks: { n: {} } } })
  assert.match(text, /^# Written by botgarden; changes made here are overwritten\.\n/)
  assert.equal(parse(text), {
    name: 'x',
    networks: { n: {} },
    services: {
      x: { container_name: 'x', restart: 'always', image: 'y:1', labels: { a: 'b', [configLabel]: checksum } },
    },
  })
  assert.match(checksum, /^[0-9a-f]{16}$/)
  const others = [{}, { startedWith: ['a'] }, { service: { image: 'y:2' } }, { more: { volumes: {} } }, { name: 'z' }]
  assert.is(new Set(others.map((more) => composeFile({ ...project, ...more }).checksum)).size, others.length)
  assert.is(composeFile({ ...project, checksum: 'given' }).checksum, 'given')
})

test('the file of a project is proved by compose, and lies in a folder of its own', async () => {
  const [folder, file] = composeProject(project)
  assert.equal([folder?.id, file?.id], ['directory:/opt/x', 'file:/opt/x/compose.yaml'])
  const host = bench(['/opt'], { docker: '[ ! -e /opt/bad ]' })
  const [change] = changesOf([file as never], { 'program:docker': true })
  await host.run(`set -e\ndir=${host.folder}\n${change?.validation?.text}`)
  assert.equal(host.calls(), ['docker compose -f /candidate config --quiet'])
  host.remove()
})

test('what starts with a container is predicted, its health only where somebody looks after it', () => {
  const after = (more: object, state: unknown = 'absent') => {
    const [change] = changesOf([containerOf(more) as never], { 'image:y:1': true, 'container:x': state })
    const [prediction, ...rest] = change?.predicts ?? []
    return [
      prediction && 'after' in prediction && prediction.after(state, () => assert.unreachable() as never),
      rest.length,
    ]
  }
  const { checksum } = composeFile({ ...project, service: { image: 'y:1', healthcheck: { test: 'x' } } })
  assert.equal(after({}), [{ ...right, restart: 'always', memoryMB: 0, cpus: 0 }, 0])
  assert.equal(after({ service: { image: 'y:1', healthcheck: { test: 'x' } } }), [
    { status: 'running', health: 'healthy', config: checksum, restart: 'always', memoryMB: 0, cpus: 0 },
    0,
  ])
  const before = { status: 'exited', health: '', config: right.config, restart: 'no', memoryMB: 5, cpus: 1 }
  assert.equal(after({ whenStarted: [{ key: 'k', unknownUntilApply: true }] }, before), [
    { ...before, status: 'running' },
    1,
  ])
})

test('a mount is read-only unless it is said, and never made by the engine', () => {
  assert.equal(mount('/a'), {
    type: 'bind',
    source: '/a',
    target: '/a',
    read_only: true,
    bind: { create_host_path: false },
  })
  assert.equal(mount('/a', '/b', { writable: true }), {
    ...{ type: 'bind', source: '/a', target: '/b', read_only: false, bind: { create_host_path: false } },
  })
})

test('what a container of ours has taken from it', () => {
  assert.equal(hardened, { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
})

test('reads containers from the engine’s JSON, with or without health, labels and limits', async () => {
  const of = (name: string, state: object, labels: object | null, memory: number, nanoCpus: number) =>
    JSON.stringify({ name: `/${name}`, state, labels, restart: 'always', memory, nanoCpus, mounts: [] })
  const ill = of('a', { Status: 'running', Health: { Status: 'unhealthy' } }, { [configLabel]: 'sum' }, 2 ** 28, 5e8)
  const host = bench([], { docker: `echo '${ill}'; echo '${of('b', { Status: 'exited' }, null, 0, 0)}'; exit 1` })
  const known = async (name: string) => {
    const state = await host.read(containerState(name))
    if (state === 'absent') return state
    const { status, health, config, restart, memoryMB, cpus } = state
    return { status, health, config, restart, memoryMB, cpus }
  }
  assert.equal(await known('a'), {
    ...{ status: 'running', health: 'unhealthy', config: 'sum', restart: 'always', memoryMB: 256, cpus: 0.5 },
  })
  assert.equal(await known('b'), {
    ...{ status: 'exited', health: '', config: '', restart: 'always', memoryMB: 0, cpus: 0 },
  })
  assert.is(await host.read(containerState('c')), 'absent')
  // What is asked for takes more than a line.
  const [call = ''] = host
    .calls()
    .join('\n')
    .split(/\n(?=docker )/)
  assert.match(call, /^docker container inspect --format \{[\s\S]* -- a$/)
  for (const field of [
    '.Name',
    '.State',
    '.Config.Labels',
    '.HostConfig.RestartPolicy.Name',
    '.HostConfig.Memory}',
    '.HostConfig.NanoCpus',
  ])
    assert.ok(call.includes(field), field)
  host.remove()
})

// A server that serves what `running` leads to from the moment on when it is told to reload.
const nginxEngine = `took() { [ -e /run/stuck ] || sed 's/return 200 \\(.*\\);/\\1/' /opt/botgarden/nginx/running/checksum.conf >/run/serving; [ -e /run/lingers ] || rm -rf /proc/77; }
case "$*" in
  *State.Running*) [ "$(cat /run/status)" = running ] && echo true || echo false ;;
  *State.Status*) cat /run/status ;;
  *State.Pid*) echo 5 ;;
  *"nginx -t"*) for file; do :; done; [ ! -e /run/bad ] || { echo "emerg: bad directive in $file:3"; exit 1; } ;;
  *"kill -HUP 1") took ;;
  "restart botgarden-nginx") took; echo running >/run/status ;;
  logs*) echo "last words" ;;
esac`
const home = '/opt/botgarden/nginx'

function server(): Bench {
  const host = bench(['/opt', '/run', '/proc', '/etc'], {
    docker: nginxEngine,
    curl: 'cat /run/serving 2>/dev/null',
    seq: 'echo 1; echo 2; echo 3',
    // The clock goes on by this alone.
    sleep: 'read -r now _ </proc/uptime; echo "$((now + 1)) 0" >/proc/uptime',
  })
  host.write('/proc/uptime', '5 0\n')
  mkdirSync(host.at('/run/botgarden/nginx'), { recursive: true })
  host.write(`${home}/conf/nginx.conf`, 'one\n')
  host.write('/run/status', 'running\n')
  return host
}
const reload = (host: Bench) => host.run(`set -e\n${nginxReload.text}`)
const running = (host: Bench) => readlinkSync(host.at(`${home}/running`))

test('nginx: a configuration is laid out once, and runs', async () => {
  const host = server()
  host.write('/run/status', 'created\n')
  host.write(`${home}/conf/own/a.conf`, 'own\n')
  assert.equal(await reload(host), { code: 0, output: '' })
  const [first = '', ...others] = readdirSync(host.at(`${home}/generations`))
  assert.equal([others, running(host), first.length], [[], `generations/${first}`, 16])
  assert.equal([host.text(`${home}/running/nginx.conf`), host.text(`${home}/running/own/a.conf`)], ['one\n', 'own\n'])
  assert.is(host.text(`${home}/running/checksum.conf`), `return 200 ${first};\n`)
  // Nobody runs, so nobody is told.
  assert.not.ok(host.calls().some((line) => /HUP|restart|nginx -t/.test(line)))
  assert.equal(await host.read(nginxState), { current: true, whole: true, inForce: false })
  assert.not.ok(host.calls().some((line) => line.startsWith('sleep')))
  // One that has just been started is given time to answer.
  host.write('/run/status', 'running\n')
  assert.equal(await host.read(nginxState), { current: true, whole: true, inForce: false })
  assert.ok(host.calls().some((line) => line.startsWith('sleep')))
  host.write('/run/serving', first)
  assert.equal(await host.read(nginxState), { current: true, whole: true, inForce: true })
  host.write(`${home}/conf/nginx.conf`, 'two\n')
  assert.equal(await host.read(nginxState), { current: false, whole: true, inForce: false })
  host.write(`${home}/running/nginx.conf`, '')
  assert.equal(await host.read(nginxState), { current: false, whole: false, inForce: false })
  host.remove()
  const bare = bench(['/opt'])
  assert.is(await bare.read(nginxState), 'absent')
  bare.remove()
})

test('nginx: one that runs is told, after its own test, and the former configuration goes', async () => {
  const host = server()
  await reload(host)
  const before = running(host)
  host.write(`${home}/conf/nginx.conf`, 'two\n')
  host.write('/proc/77/status', 'Name:\tnginx\nPPid:\t5\n')
  host.write('/proc/77/cmdline', 'nginx: worker process')
  host.calls()
  assert.equal(await reload(host), { code: 0, output: '' })
  assert.is.not(running(host), before)
  assert.equal(
    readdirSync(host.at(`${home}/generations`)).map((name) => `generations/${name}`),
    [running(host)],
  )
  assert.equal(await host.read(nginxState), { current: true, whole: true, inForce: true })
  const calls = host.calls()
  assert.ok(calls.includes(`docker exec botgarden-nginx nginx -t -q -c /etc/nginx/${running(host)}/nginx.conf`))
  assert.is(calls.filter((line) => line.endsWith('kill -HUP 1')).length, 1)
  assert.is((await host.run(`${reloadFunction().text}\nnginx_is_current`)).code, 0)
  host.write('/etc/botgarden/tls/name/current/fullchain.pem', 'another certificate')
  assert.is((await host.run(`${reloadFunction().text}\nnginx_is_current`)).code, 1)
  assert.equal(await host.read(nginxState), { current: false, whole: true, inForce: false })
  host.remove()
})

test('nginx: workers that are told to end are not waited for, others are', async () => {
  const host = server()
  await reload(host)
  host.write('/run/lingers', '')
  host.write('/proc/77/status', 'Name:\tnginx\nPPid:\t5\n')
  host.write('/proc/77/cmdline', 'nginx: worker process is shutting down')
  host.write(`${home}/conf/nginx.conf`, 'two\n')
  assert.is((await reload(host)).code, 0)
  host.write('/proc/77/status', 'Name:\tnginx\nPPid:\t5\n')
  host.write('/proc/77/cmdline', 'nginx: worker process')
  host.write(`${home}/conf/nginx.conf`, 'three\n')
  const { code, output } = await reload(host)
  assert.equal([code, output], [1, 'nginx was told to reload, and goes on as it was:\nlast words\n'])
  host.remove()
})

test('nginx: what its test refuses is named by its place, and changes nothing', async () => {
  const host = server()
  await reload(host)
  const before = running(host)
  host.write(`${home}/conf/nginx.conf`, 'two\n')
  host.write('/run/bad', '')
  assert.equal(await reload(host), { code: 1, output: `emerg: bad directive in ${home}/conf/nginx.conf:3\n` })
  assert.equal([running(host), readdirSync(host.at(`${home}/generations`)).length], [before, 1])
  // What runs stays, even where it is what is refused.
  host.write(`${home}/conf/nginx.conf`, 'one\n')
  assert.is((await reload(host)).code, 1)
  assert.equal([running(host), existsSync(host.at(`${home}/running/nginx.conf`))], [before, true])
  host.remove()
})

test('nginx: one that does not take it goes on with what it had, after a boot too', async () => {
  const host = server()
  await reload(host)
  const before = running(host)
  host.write(`${home}/conf/nginx.conf`, 'two\n')
  host.write('/run/stuck', '')
  const { code, output } = await reload(host)
  assert.equal([code, output], [1, 'nginx was told to reload, and goes on as it was:\nlast words\n'])
  assert.is(running(host), before)
  assert.ok(host.calls().includes('docker logs --tail 5 botgarden-nginx'))
  host.remove()
})

test('nginx: one that crashes is started anew, without a test that it cannot run', async () => {
  const host = server()
  host.write('/run/status', 'restarting\n')
  assert.equal(await reload(host), { code: 0, output: '' })
  const calls = host.calls()
  assert.ok(calls.includes('docker restart botgarden-nginx'))
  assert.not.ok(calls.some((line) => /nginx -t|HUP/.test(line)))
  host.remove()
})

test('nginx: what a power cut has emptied is laid out again', async () => {
  const host = server()
  await reload(host)
  const before = running(host)
  for (const file of ['nginx.conf', 'checksum.conf', '.files']) {
    writeFileSync(host.at(`${home}/running/${file}`), '')
    assert.is((await reload(host)).code, 0)
    assert.is(running(host), before)
    assert.is(host.text(`${home}/running/nginx.conf`), 'one\n')
    assert.equal(await host.read(nginxState), { current: true, whole: true, inForce: true })
  }
  assert.is(nginxReload.shown, 'nginx -t; nginx -s reload')
  host.remove()
})

test('nginx: a file is proved within the whole configuration, another certificate standing in for one to come', async () => {
  const host = server()
  const conf = 'ssl_certificate /etc/none/fullchain.pem;\nssl_certificate_key /etc/none/privkey.pem;\n'
  const [change] = changesOf([nginxFile('sites/a.conf', conf)], { 'program:docker': true })
  const proof = `set -e\ndir=${host.folder}\n${change?.validation?.text}`
  host.write(`${home}/conf/nginx.conf`, conf)
  assert.equal(await host.run(proof), { code: 0, output: '' })
  assert.match(host.calls().at(-1) ?? '', /nginx -t -q -c \/run\/botgarden\/nginx\/candidate\.\w+\/nginx\.conf$/)
  assert.equal(readdirSync(host.at('/run/botgarden/nginx')), [])
  host.write('/run/bad', '')
  assert.equal(await host.run(proof), { code: 1, output: `emerg: bad directive in ${home}/conf/nginx.conf:3\n` })
  host.write('/run/status', 'exited\n')
  assert.equal(await host.run(proof), { code: 0, output: '' })
  host.remove()
})

test('nginx: the test sees the candidate in its place, with a pair that can be loaded', async () => {
  const host = server()
  const look =
    'case "$*" in *Running*) echo true ;; *"test -e"*) exit 0 ;; *) for f; do :; done; d=$(dirname "$f"); cat "$d/sites/a.conf" "$d/nginx.conf" "$d/checksum.conf"; openssl x509 -noout -in "$d/fullchain.pem" && openssl pkey -noout -in "$d/privkey.pem" && echo pair; exit 1 ;; esac'
  writeFileSync(host.at('programs/docker'), `#!/bin/sh\n${look}\n`)
  host.write(
    `${home}/conf/nginx.conf`,
    '  ssl_certificate /etc/none/fullchain.pem;\n  ssl_certificate_key /etc/none/privkey.pem;\n',
  )
  // Of the domains of a bot each has a certificate of its own, and one of these is there.
  host.write('/etc/there/fullchain.pem', '')
  const pair = (folder: string) =>
    `ssl_certificate ${folder}/fullchain.pem;\nssl_certificate_key ${folder}/privkey.pem;\n`
  const site = pair('/etc/domain') + pair(host.at('/etc/there'))
  const [change] = changesOf([nginxFile('sites/a.conf', site)], { 'program:docker': true })
  const { output } = await host.run(`set -e\ndir=${host.folder}\n${change?.validation?.text}`)
  const standIn = pair(`${home}/conf`)
  const ofHost = standIn.replace(/^(?=.)/gm, '  ')
  assert.is(output, `${standIn}${pair('/etc/there')}${ofHost}return 200 candidate;\npair\n`)
  host.remove()
})

test('nginx: reloads late, where a server runs that has not loaded what stands there', () => {
  const inForce = nginxReloaded()
  const state = { current: true, whole: true, inForce: true }
  assert.is(inForce.runsLast, true)
  assert.equal(planOf([inForce], { 'nginx:config': state }), [])
  assert.equal(planOf([inForce], { 'nginx:config': 'absent' }), [])
  assert.equal(planOf([inForce, inForce], { 'nginx:config': { ...state, inForce: false } }), [
    'nginx:config: reload',
    'nginx:config: comes-with nginx:config',
  ])
  const [change] = changesOf([inForce], { 'nginx:config': { current: false, whole: true, inForce: false } })
  const [prediction] = change?.predicts ?? []
  assert.equal(
    prediction && 'after' in prediction && prediction.after(undefined, () => assert.unreachable() as never),
    state,
  )
  assert.equal(planOf([nginxFile('a', 'x'), inForce], { 'nginx:config': state }), [
    `file:${home}/conf/a: create`,
    'nginx:config: reload',
  ])
  assert.equal(planOf([nginxFile('a', 'x'), inForce], { 'nginx:config': 'absent' }), [`file:${home}/conf/a: create`])
})

const domain = 'bots.example.org'
for (const [title, name, state, placeholder, expected] of [
  ['one that is there stays for a placeholder', domain, { keyMatches: true }, true, []],
  ['one whose key is another does not', domain, { keyMatches: false }, true, ['make a new self-signed one']],
  ['none', domain, undefined, true, ['make a self-signed one']],
  ['one of an authority gives way', domain, { selfSigned: false }, false, ['make a new self-signed one']],
  ['one that ends soon', domain, { endsSoon: true }, false, ['make a new self-signed one']],
  ['one of another name', domain, { names: ['DNS:x'] }, false, ['make a new self-signed one']],
  ['one that is as wanted', domain, {}, false, []],
] as const)
  test(`certificates: ${title}`, () => {
    const there = { fingerprint: 'a', names: [`DNS:${name}`], selfSigned: true, keyMatches: true, endsSoon: false }
    const known = { [`certificate:${name}`]: state === undefined ? 'absent' : { ...there, ...state } }
    const resource = selfSigned(name, { placeholder })
    const id = `${placeholder ? 'certificate-placeholder' : 'certificate'}:${name}`
    assert.equal(
      planOf([resource], known),
      expected.map((summary) => `${id}: ${summary}`),
    )
    if (expected.length > 0) assert.is(planOf([resource, resource], known).at(-1), `${id}: comes-with ${id}`)
  })

test('certificates: a pair is made for its name, and put into service whole', async () => {
  for (const [name, subject] of [
    [domain, `DNS:${domain}`],
    ['192.0.2.1', 'IP Address:192.0.2.1'],
  ] as const) {
    const host = bench(['/etc'])
    mkdirSync(host.at(`/etc/botgarden/tls/${name}`), { recursive: true })
    const resource = selfSigned(name, { placeholder: false })
    assert.equal(await host.run(`set -e\n${changesOf([resource], {})[0]?.script.text}`), { code: 0, output: '' })
    const state = await host.read(certificateState(name))
    assert.equal(state, {
      fingerprint: state === 'absent' ? '' : state.fingerprint,
      ...{ names: [subject], selfSigned: true, keyMatches: true, endsSoon: false },
    })
    assert.match(state === 'absent' ? '' : state.fingerprint, /^[0-9a-f]{64}$/)
    const folder = host.at(`/etc/botgarden/tls/${name}`)
    const target = readlinkSync(`${folder}/current`)
    assert.match(target, /^[0-9a-f]{16}$/)
    assert.equal(readdirSync(folder).sort(), ['current', target].sort())
    assert.equal(
      [statSync(`${folder}/${target}`).mode & 0o777, statSync(`${folder}/current/privkey.pem`).mode & 0o777],
      [0o700, 0o600],
    )
    assert.match(changesOf([resource], {})[0]?.script.shown ?? '', `-subj /CN=${name}`)
    host.remove()
  }
})

test('certificates: a new pair keeps the one before it, and no other', async () => {
  const host = bench(['/etc'])
  const folder = `/etc/botgarden/tls/${domain}`
  mkdirSync(host.at(folder), { recursive: true })
  const make = changesOf([selfSigned(domain, { placeholder: false })], {})[0]?.script.text
  const made: string[] = []
  for (let i = 0; i < 3; i++) {
    assert.is((await host.run(`set -e\n${make}`)).code, 0)
    made.push(readlinkSync(host.at(`${folder}/current`)))
  }
  assert.equal(readdirSync(host.at(folder)).sort(), [...made.slice(1), 'current'].sort())
  assert.ok(lstatSync(host.at(`${folder}/current`)).isSymbolicLink())
  // A pair whose key is another's, and one that cannot be read.
  host.write(`${folder}/current/privkey.pem`, 'no key')
  const other = await host.read(certificateState(domain))
  assert.is(other !== 'absent' && other.keyMatches, false)
  host.write(`${folder}/current/fullchain.pem`, 'no certificate')
  assert.is(await host.read(certificateState(domain)), 'absent')
  assert.is(await host.read(certificateState('gone.example.org')), 'absent')
  host.remove()
})

test('certificates: a pair that somebody has changed in its folder is written there again, and one that is right is left', async () => {
  const host = bench(['/etc', '/srv'])
  mkdirSync(host.at('/etc/botgarden/tls/x'), { recursive: true })
  host.write('/srv/fullchain.pem', 'chain')
  host.write('/srv/privkey.pem', 'key')
  const install = `set -e\n${setChangedAside('x').text}\n${installPair.text}\ninstall_pair x /srv`
  assert.equal(await host.run(install), { code: 0, output: '' })
  const current = '/etc/botgarden/tls/x/current'
  const [first, at] = [readlinkSync(host.at(current)), statSync(host.at(current)).ino]
  assert.equal(await host.run(install), { code: 0, output: '' })
  assert.is(statSync(host.at(current)).ino, at)
  host.write(`${current}/fullchain.pem`, 'of another name')
  assert.equal(await host.run(install), { code: 0, output: '' })
  assert.equal([readlinkSync(host.at(current)), host.text(`${current}/fullchain.pem`)], [first, 'chain'])
  assert.is(host.text(`/etc/botgarden/tls/x/${first}.changed/fullchain.pem`), 'of another name')
  host.remove()
})

test('certificates: a pair from elsewhere is copied, its key for root alone, whatever it was', async () => {
  const host = bench(['/etc', '/srv'])
  mkdirSync(host.at('/etc/botgarden/tls/x'), { recursive: true })
  host.write('/srv/fullchain.pem', 'chain')
  host.write('/srv/real.pem', 'key', 0o644)
  symlinkSync('real.pem', host.at('/srv/privkey.pem'))
  const install = `set -e\numask 022\n${installPair.text}\ninstall_pair x /srv`
  assert.equal(await host.run(install), { code: 0, output: '' })
  const current = '/etc/botgarden/tls/x/current'
  assert.equal([host.text(`${current}/fullchain.pem`), host.text(`${current}/privkey.pem`)], ['chain', 'key'])
  assert.equal(
    [lstatSync(host.at(`${current}/privkey.pem`)).mode & 0o777, statSync(host.at(current)).mode & 0o777],
    [0o600, 0o700],
  )
  const first = readlinkSync(host.at(current))
  assert.equal(await host.run(install), { code: 0, output: '' })
  assert.is(readlinkSync(host.at(current)), first)
  // A chain that is completed, and another key, are another pair; what a cut run left is in nobody's way.
  for (const file of ['/srv/fullchain.pem', '/srv/real.pem']) {
    const before = readlinkSync(host.at(current))
    host.write(file, 'other', 0o644)
    mkdirSync(host.at(`/etc/botgarden/tls/x/${before}.new`))
    assert.equal(await host.run(install), { code: 0, output: '' })
    assert.is.not(readlinkSync(host.at(current)), before)
  }
  assert.is(readdirSync(host.at('/etc/botgarden/tls/x')).length, 3)
  host.remove()
})

test('certificates: who signed, and when it ends', async () => {
  const { kind } = certificateState(domain)
  const output = `certificate a
sha256 Fingerprint=AA:BB
subject=CN = a
issuer=CN = Authority
X509v3 Subject Alternative Name: 
    DNS:a, IP Address:192.0.2.1
-----BEGIN PUBLIC KEY-----
MFkw
-----END PUBLIC KEY-----
Certificate will expire
-----BEGIN PUBLIC KEY-----
MFkw
-----END PUBLIC KEY-----
certificate b
sha256 Fingerprint=CC
subject=CN = b
issuer=CN = b
-----BEGIN PUBLIC KEY-----
MFkw
-----END PUBLIC KEY-----
Certificate will not expire
-----BEGIN PUBLIC KEY-----
MFkx
-----END PUBLIC KEY-----
certificate c
-----BEGIN PUBLIC KEY-----
MFkw
-----END PUBLIC KEY-----
`
  assert.equal(
    [...kind.parse(output, ['a', 'b', 'c']).values()],
    [
      {
        fingerprint: 'aabb',
        names: ['DNS:a', 'IP Address:192.0.2.1'],
        selfSigned: false,
        keyMatches: true,
        endsSoon: true,
      },
      { fingerprint: 'cc', names: [], selfSigned: true, keyMatches: false, endsSoon: false },
      'absent',
    ],
  )
  const host = bench(['/etc'])
  mkdirSync(host.at(`/etc/botgarden/tls/${domain}`), { recursive: true })
  const make = changesOf([selfSigned(domain, { placeholder: false })], {})[0]?.script.text.replace(
    '-days 3650',
    '-days 29',
  )
  assert.is((await host.run(`set -e\n${make}`)).code, 0)
  const state = await host.read(certificateState(domain))
  assert.is(state !== 'absent' && state.endsSoon, true)
  host.remove()
})

test('names of certificates', () => {
  assert.equal([subjectName('a.b'), subjectName('192.0.2.1')], ['DNS:a.b', 'IP Address:192.0.2.1'])
  assert.equal(['192.0.2.1', 'x192.0.2.1', '192.0.2.1.example.org', '1.2.3'].map(isAddress), [
    true,
    false,
    false,
    false,
  ])
  assert.equal([sameNames(['a', 'b'], ['b', 'a']), sameNames(['a'], ['a', 'b'])], [true, false])
})

test.run()
