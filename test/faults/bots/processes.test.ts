// Needs a VPS of its own: `procs`, the sandbox's certificate authority, and its Telegram as https://api.telegram.org. A bot with a
// worker and a scheduler: both are released, kept, rolled back, booted and removed with it, and never two schedulers run.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { inVps, removeVps, restartVps } from '../../../sandbox/index.ts'
import { type Run, resultOf, start } from '../../support/runner.ts'
import { bullmqHost } from '../../support/vps/bullmq-bot.ts'

const host = 'procs'
const {
  bots,
  tokens,
  name,
  file,
  release,
  variant,
  say,
  running,
  ids,
  forget,
  schedulers,
  turns,
  inside,
  site,
  changed,
  beginWith,
} = bullmqHost(host)
const own = { command: ['node', 'worker.mjs'], memory: '128m' }
const scheduler = { command: ['node', 'scheduler.mjs'], memory: '128m', single: true }

const done = (result: Run) => assert.is(result.code, 0, resultOf(result, host).error)
const unchanged = (result: Run) => {
  const { changed: count, unknown, roundTrips } = resultOf(result, host)
  assert.equal({ count, unknown, roundTrips }, { count: 0, unknown: 0, roundTrips: 1 })
}
const all = async () => (await running()).map((each) => each.replace(/-(blue|green)$/, ''))
/** All containers are of one colour. */
const ofOneColour = async () => assert.is(new Set((await running()).map((each) => each.replace(/.*-/, ''))).size, 1)

test.before(() => beginWith({ standIns: ['valkey'], file: file() }))
test.after(() => removeVps(host))

test('a check lists what the first release does, the second changes nothing, and the worker answers', async () => {
  const check = resultOf(await release({}, ['--check']), host)
  const first = await release()
  done(first)
  assert.equal(changed(first).sort(), [...check.ids, ...check.unknownIds].sort())
  unchanged(await release())
  unchanged(await site(file()))
  assert.equal(await all(), ['', '.scheduler', '.worker'])
  assert.is(await say('hello'), 'worker: hello')
})

test('a worker that ends by itself after 10 s takes the whole release back, and its last words are shown', async () => {
  await forget()
  const before = await ids()
  const failed = await release({ environment: { CRASH_AFTER: '10' } }, [], { settle: 20 })
  assert.is(failed.code, 3)
  const { error } = resultOf(failed, host)
  for (const said of [
    'botgarden-queue.worker-green ended by itself',
    'exit code 7',
    'worker: out of luck',
    'still serving',
  ])
    assert.match(String(error), said)
  assert.is(await ids(), before)
  unchanged(await release())
  assert.is(await say('still there'), 'worker: still there')
  // The one before, the one that failed, and the one before again.
  const seen = await schedulers()
  assert.equal([seen.length, new Set(seen).size, seen[0] === seen[2]], [3, 2, true])
  assert.ok((await turns()).every((times) => times === 1))
})

test('over 20 releases never two schedulers run, and no job is done twice', async () => {
  await forget()
  for (let n = 1; n <= 20; n++) done(await release({ environment: { VERSION: String(n) } }))
  assert.is(await say('after all'), 'worker: after all')
  const seen = await schedulers()
  assert.is(seen.length, 21)
  assert.is(new Set(seen).size, 21)
  const times = await turns()
  assert.ok(times.length > 60, `${times.length} turns`)
  assert.equal(
    times.filter((each) => each !== 1),
    [],
  )
})

const drifts: readonly (readonly [what: string, command: string, said: RegExp])[] = [
  ['is gone', 'docker rm -f botgarden-queue.worker-COLOUR', /worker, since its container is gone/],
  ['is stopped', 'docker stop botgarden-queue.scheduler-COLOUR', /scheduler, since its container is exited/],
  [
    'is another',
    'docker rm -f botgarden-queue.worker-COLOUR; docker run -d --restart always --name botgarden-queue.worker-COLOUR --entrypoint sleep $(docker inspect --format {{.Image}} botgarden-queue-COLOUR) 1000',
    /worker, since its container differs/,
  ],
  [
    'is off its network',
    'docker network disconnect botgarden-queue botgarden-queue.worker-COLOUR',
    /worker, since it is not on the network/,
  ],
  ['would not start at boot', 'docker update --restart no botgarden-queue.worker-COLOUR', /set the restart policy/],
  [
    'is of no release',
    'docker run -d --name botgarden-queue.old-OTHER --entrypoint sleep $(docker inspect --format {{.Image}} botgarden-queue-COLOUR) 1000',
    /remove what is no process of its release: botgarden-queue\.old-/,
  ],
]
for (const [what, command, said] of drifts)
  test(`a process that ${what} is seen, and put right alone`, async () => {
    const [serving = ''] = await running()
    const colour = serving.slice(1)
    const bot = await inside(`docker inspect --format '{{.Id}}' botgarden-queue-${colour}`)
    await inside(command.replaceAll('COLOUR', colour).replaceAll('OTHER', colour === 'blue' ? 'green' : 'blue'))
    const more = { environment: { VERSION: '20' } }
    const check = await release(more, ['--check'])
    assert.match(check.stderr + check.stdout, said)
    const mended = await site(file())
    assert.equal(changed(mended), ['release:queue'])
    assert.equal(resultOf(check, host).ids, ['release:queue'])
    unchanged(await site(file()))
    assert.equal(await all(), ['', '.scheduler', '.worker'])
    assert.is(await inside(`docker inspect --format '{{.Id}}' botgarden-queue-${colour}`), bot)
  })

test('limits of a process change while it runs', async () => {
  const before = await ids()
  const file160 = file({ processes: { worker: { memory: '160m' } } })
  assert.equal(changed(await site(file160)), ['limits:queue'])
  assert.is(await ids(), before)
  unchanged(await site(file160))
  assert.equal(changed(await site(file())), ['limits:queue'])
})

test('processes are renamed, added, removed and rolled back with their version', async () => {
  const other = variant('other', { processes: { doer: own, scheduler, second: own } })
  done(await release({ source: other }))
  assert.equal(await all(), ['', '.doer', '.scheduler', '.second'])
  await ofOneColour()
  unchanged(await release({ source: other }))
  const none = variant('none', { processes: undefined }, { 'note.txt': 'none' })
  done(await release({ source: none }))
  assert.equal(await all(), [''])
  assert.is(await inside('ls -A /var/lib/botgarden/bots/queue'), 'current.json\nlogs\nreleases\nwebhook')
  unchanged(await site(file()))
  done(await release({}, ['--rollback']))
  assert.equal(await all(), ['', '.doer', '.scheduler', '.second'])
  await ofOneColour()
  assert.is(await say('back again'), 'worker: back again')
  done(await release())
  assert.equal(await all(), ['', '.scheduler', '.worker'])
})

test('a process with an image of its own is built, and is reached by its address of the same colour', async () => {
  const api = {
    'api.Dockerfile':
      'ARG BASE=node:26.10-slim\nFROM ${BASE} AS base\nWORKDIR /app\nFROM base AS api\nCOPY api.mjs .\nCMD ["node", "api.mjs"]\n',
    'api.mjs':
      "import { createServer } from 'node:http'\ncreateServer((_, response) => response.end('api')).listen(Number(process.env.PORT))\n",
  }
  const processes = {
    worker: own,
    scheduler,
    api: { dockerfile: 'api.Dockerfile', target: 'api', port: 8080, health: '/' },
  }
  const environment = {
    REDIS_URL: '${cache.url}',
    BOT_TOKEN: '${token}',
    WEBHOOK_SECRET: '${webhook.secret}',
    API: '${process.api.url}',
  }
  const source = variant('api', { processes, environment }, api)
  const check = resultOf(await release({ source }, ['--check']), host)
  const first = await release({ source })
  done(first)
  assert.equal(changed(first).sort(), [...check.ids, ...check.unknownIds].sort())
  assert.ok(changed(first).some((id) => /^image:botgarden\/queue\.api:[0-9a-f]{12}$/.test(id)))
  unchanged(await release({ source }))
  const [serving = ''] = await running()
  const asked = `docker exec botgarden-queue${serving} node -e 'fetch(process.env.API).then(async (r) => console.log(process.env.API, await r.text()))'`
  const [url = '', said] = (await inside(asked)).split(' ')
  assert.match(url, /^http:\/\/10\.210\.\d+\.(16|17):8080$/)
  assert.is(said, 'api')
  // A network like that of another bot does not lead there.
  const fetched = `fetch("${url}", { signal: AbortSignal.timeout(5000) }).then(() => console.log("reached"), () => console.log("refused"))`
  const from = (network: string) =>
    inside(
      `docker run --rm --network ${network} $(docker inspect --format {{.Image}} botgarden-queue${serving}) node -e '${fetched}'`,
    )
  await inside('docker network create --opt com.docker.network.bridge.name=br-bot-99 stranger')
  assert.equal([await from('stranger'), await from('botgarden-queue')], ['refused', 'reached'])
  await inside('docker network rm stranger')
  // It may do what its bot may.
  const rights =
    '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{.HostConfig.PidsLimit}}'
  const found = await inside(
    `docker inspect --format '${rights}' $(docker ps --format '{{.Names}}' | grep '^botgarden-queue[.-][a-z-]*\\(blue\\|green\\)$') | sort -u`,
  )
  assert.match(found, /^20\d{3}:20\d{3} true \[ALL\] \[no-new-privileges:true\] 100$/)
  const broken = variant(
    'broken',
    { processes, environment },
    { ...api, 'api.mjs': 'console.log("api: no port today")\nsetInterval(() => {}, 1000)\n' },
  )
  const failed = await release({ source: broken })
  assert.is(failed.code, 3)
  assert.match(String(resultOf(failed, host).error), /queue\.api-(blue|green) was not ready/)
  assert.match(String(resultOf(failed, host).error), 'api: no port today')
  assert.match(await inside(asked), /api$/)
  done(await release())
})

/** Cuts the power, all at once, in a release to a version with this entry, as soon as this is true on the host. */
async function cutInRelease(entry: object, when: string) {
  const { ended, kill } = start(
    ['playbooks/bot.ts', '-i', file(entry, { settle: 60 }), '--json', '--name', name],
    tokens,
  )
  const { status } = await inVps(
    host,
    `for i in $(seq 900); do ! { ${when}; } || { systemctl kill --signal KILL 'botgarden-*-*.service'; exit 0; }; sleep 0.1; done; exit 9`,
    { seconds: 100 },
  )
  kill()
  await ended
  assert.is(status, 0, 'the release came to that point')
  await restartVps(host)
}

test('a power cut while a new version settles leaves the one before, with its processes', async () => {
  const before = await running()
  const other = before.some((each) => each.endsWith('blue')) ? 'green' : 'blue'
  await forget()
  await cutInRelease(
    { environment: { VERSION: 'cut' } },
    `[ "$(docker inspect --format '{{.State.Running}}' botgarden-queue.scheduler-${other})" = true ] && sleep 2`,
  )
  assert.is(await say('after the cut'), 'worker: after the cut')
  assert.equal(await running(), before)
  assert.equal(changed(await site(file())), ['release:queue'])
  unchanged(await site(file()))
  assert.equal(await running(), before)
  const seen = await schedulers()
  assert.equal([seen.length, new Set(seen).size, seen[0] === seen[2]], [3, 2, true])
})

test('--logs has each process by its name, and --remove leaves nothing of them', async () => {
  // The scheduler says nothing.
  const worker = /^\S+Z {2}worker +\S/m
  assert.match((await release({}, ['--logs', '--process', 'worker'])).stdout, worker)
  assert.not.match((await release({}, ['--logs', '--process', 'scheduler'])).stdout, worker)
  const check = await release({}, ['--remove', '--purge', '--yes', '--check'])
  const removed = await release({}, ['--remove', '--purge', '--yes'])
  done(removed)
  assert.equal(changed(removed), resultOf(check, host).ids)
  assert.is(await inside("docker ps --all --format '{{.Names}}' | grep queue || :"), '')
  assert.is(await inside("docker image ls --format '{{.Repository}}' | grep queue || :"), '')
  bots[name] = { host }
})

test.run()
