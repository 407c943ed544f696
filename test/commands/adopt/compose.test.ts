// Compose files: what each key of a service says, what the services are to a bot, and what the image is built from.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { furtherProcesses, processKey } from '../../../commands/adopt/decide/processes.ts'
import { arrange, dockerfileOf, migrates } from '../../../commands/adopt/decide/services.ts'
import { composeServices } from '../../../commands/adopt/read/compose.ts'
import type { ComposeService } from '../../../commands/adopt/read/compose-service.ts'
import { composeFilesIn } from '../../../commands/adopt/read/survey.ts'
import { itemsOf } from '../../../commands/adopt/read/untyped.ts'
import { adopted, type Files } from './support.ts'

const service = (text: string): ComposeService => {
  const [found] = composeServices(`services:\n  bot: { ${text} }\n`, 'c.yml')
  if (found === undefined) throw new Error('no service')
  return found
}

test('a service without any key has none', () => {
  assert.equal(JSON.parse(JSON.stringify(service('x: 1'))), {
    ...{ name: 'bot', from: 'c.yml:2', environment: [], volumes: [], ports: [], tmpfs: [], dependsOn: [] },
    ...{ init: false, powers: [], labels: [] },
  })
})

test('the keys of a service, in each of their shapes', () => {
  const from = 'c.yml:2'
  assert.equal(service('build: ./app').build, {
    value: { context: './app', dockerfile: undefined, target: undefined, args: [] },
    from,
  })
  assert.equal(service('build: { dockerfile: D, target: t, args: { A: 1, B: , "C D": 2 } }').build?.value, {
    ...{ context: '.', dockerfile: 'D', target: 't' },
    args: [
      ['A', '1'],
      ['B', ''],
    ],
  })
  assert.is(service('build: [a]').build, undefined)
  assert.equal(service('command: [a, 1], entrypoint: "b\\n c "').command, { value: ['a', '1'], from })
  assert.equal(service('entrypoint: "b\\n c "').entrypoint, { value: 'b  c', from })
  assert.equal([service('command: []').command, service('command: " "').command], [undefined, undefined])
  assert.equal(
    service('environment: [A, "B=", "C=x=y", "1D=x", " E=x", [F], "G H"]').environment.map(({ name, value }) => [
      name,
      value,
    ]),
    [
      ['A', undefined],
      ['B', ''],
      ['C', 'x=y'],
    ],
  )
  const { volumes } = service(
    'volumes: ["/anonymous", "a:/b", "a:/b:rw,ro", "a:/b:row", "$X:/x", "${Y:-./y}:/y", { type: tmpfs, target: /t }, { target: /u, source: s, read_only: true }, { target: /v }, ["x"]]',
  )
  assert.equal(
    volumes.map(({ value: { source, target, readOnly } }) => [source, target, readOnly]),
    [
      [undefined, '/anonymous', false],
      ['a', '/b', false],
      ['a', '/b', true],
      ['a', '/b', false],
      ['$X', '/x', false],
      ['${Y:-./y}', '/y', false],
      ['s', '/u', true],
      [undefined, '/v', false],
    ],
  )
  assert.equal(
    service('ports: [80, "81:82", "1.2.3.4:83:84/tcp", "85/udp", "0", "70000", { target: 86 }], expose: ["87", a]')
      .ports,
    [80, 82, 84, 86, 87].map((port) => ({
      value: { port, published: port !== 87, ...(port > 80 && port < 86 && { onHost: port - 1 }) },
      from,
    })),
  )
  assert.equal(service('tmpfs: /a').tmpfs, [{ value: '/a', from }])
  assert.equal(service('tmpfs: ["/a:size=1", [b]]').tmpfs, [{ value: '/a', from }])
  assert.equal(service('depends_on: { a: { condition: x }, b: y }').dependsOn, ['a', 'b'])
  assert.equal(service('depends_on: [a, [b]]').dependsOn, ['a'])
  assert.equal(service('mem_limit: 5m, cpus: 1').memory, { value: '5m', from })
  assert.equal(service('deploy: { resources: { limits: { memory: 6m, cpus: "2" } } }').memory, { value: '6m', from })
  assert.equal(service('cpus: 1').cpus, { value: 1, from })
  assert.equal(service('healthcheck: { test: [CMD, a, 1] }').healthcheck, { value: 'CMD a 1', from })
  assert.equal(service('healthcheck: { test: a b }').healthcheck, { value: 'a b', from })
  assert.equal(
    [service('working_dir: /w').workdir, service('init: true').init, service('init: 1').init],
    ['/w', true, false],
  )
  assert.equal(service('labels: { a: b, c: }').labels, [
    { value: 'a=b', from },
    { value: 'c', from },
  ])
})

test('powers are those that are asked for', () => {
  const of = (text: string) => service(text).powers.map(({ value }) => value)
  assert.equal(of('privileged: false, devices: , network_mode: bridge, cap_drop: [ALL]'), [])
  assert.equal(of('network_mode: host, pid: host'), ['network_mode: host', 'pid: host'])
  assert.equal(of('deploy: { resources: { reservations: { memory: 1 } } }'), [])
})

test('a list and a mapping say the same, and neither is read without end', () => {
  assert.equal(itemsOf({ A: 1, B: null, C: [1] }), ['A=1', 'B', 'C'])
  assert.equal([itemsOf(3), itemsOf(undefined), itemsOf([1, [2]])], [['3'], [], [1, [2]]])
  const many = Array.from({ length: 1500 }, (_, i) => i)
  assert.is(itemsOf(many).length, 1000)
  assert.is(itemsOf(Object.fromEntries(many.map((i) => [`a${i}`, i]))).length, 1000)
})

test('lines are those of keys and items, behind an alias of the closest key above', () => {
  const text = `x: &x
  environment: [A=1]
services:
  bot:
    <<: *x
    volumes:
      - a:/a
      - b:/b
    healthcheck:
      test: x
  api:
    environment:
      A: 1
      B: 2
`
  const [bot, api] = composeServices(text, 'c.yml')
  assert.equal(bot?.environment[0]?.from, 'c.yml:4')
  assert.equal(
    [...(bot?.volumes ?? []), ...(api?.environment ?? [])].map(({ from }) => from),
    ['c.yml:7', 'c.yml:8', 'c.yml:13', 'c.yml:14'],
  )
  assert.equal([bot?.healthcheck?.from, api?.from], ['c.yml:9', 'c.yml:11'])
})

for (const [what, files, expected] of [
  ['one at the top', ['compose.yml', 'a/compose.yml'], ['compose.yml']],
  ['one in a folder', ['a/docker-compose.yaml', 'a/b/compose.yml'], ['a/docker-compose.yaml']],
  ['that of production over it', ['compose.prod.yml', 'compose.yml'], ['compose.yml', 'compose.prod.yml']],
  ['none for development', ['compose.dev.yml', 'my-compose.yml', 'compose.yml.bak'], []],
] as const)
  test(`compose files: ${what}`, () => assert.equal(composeFilesIn(files), expected))

test('a file of production is laid over: lists are added to, values take the place of others', () => {
  const { manifest } = adopted({
    Dockerfile: 'FROM x\nWORKDIR /app\nCMD ["x"]\n',
    'compose.yml':
      'services: { bot: { build: ., command: a, mem_limit: 100m, environment: [A=1, B=2], volumes: ["a:/app/a"], tmpfs: [/t] } }',
    'compose.prod.yml':
      'services: { bot: { command: b, environment: [B=3, C=4], volumes: ["b:/app/b"] }, worker: { build: ., command: w } }',
  })
  assert.equal(JSON.parse(JSON.stringify(manifest)), {
    ...{
      mode: 'polling',
      database: false,
      data: ['/app/a', '/app/b'],
      scratch: ['/t'],
      command: ['b'],
      memory: '100m',
    },
    processes: { worker: { command: ['w'] } },
    environment: { A: '1', B: '3', C: '4' },
  })
})

const named = (services: string, text: (path: string) => string | undefined = () => undefined) => {
  const found = arrange(composeServices(`services: { ${services} }`, 'c.yml'), text)
  const names = (all: readonly ComposeService[]) => all.map(({ name }) => name)
  return {
    bot: found.bot?.name,
    migrations: names(found.migrations),
    others: names(found.others),
    known: found.known.map(({ service, kind }) => `${service.name} ${kind}`),
    foreign: names(found.foreign),
  }
}

for (const [what, services, bot] of [
  ['by its name', 'app: { build: . }, shop-bot: { build: . }', 'shop-bot'],
  ['by its name with tg', 'app: { build: . }, tg_shop: { build: . }', 'tg_shop'],
  ['not by tg in a word', 'app: { build: . }, ltgx: { build: . }', 'app'],
  ['as the main one', 'x: { build: . }, main: { build: . }', 'main'],
  ['not as a part of a name', 'x: { build: . }, mymain: { build: . }, maintain: { build: . }', 'x'],
  ['by its token', 'x: { build: . }, y: { build: ., environment: [BOT_TOKEN] }', 'y'],
  ['by its token rather than by its name', 'app: { build: . }, y: { build: ., environment: [BOT_TOKEN] }', 'y'],
  ['not as a worker', 'bot-worker: { build: . }, x: { build: . }', 'x'],
  ['not by what it runs', 'bot: { build: ., command: celery worker }, x: { build: . }', 'x'],
  ['by a Dockerfile at the top', 'x: { build: { context: ., dockerfile: a/D } }, y: { build: . }', 'y'],
  ['as the first of equals', 'x: { build: . }, y: { build: . }', 'x'],
  ['as an image of its own', 'x: { image: "shop:1" }', 'x'],
  [
    'as an image that another service builds',
    'x: { image: r.io/a, build: ., command: beat }, y: { image: r.io/a }',
    'y',
  ],
  ['not as somebody’s image', 'x: { image: "a/b" }, y: { image: c.io }', undefined],
] as const)
  test(`the bot is found ${what}`, () => assert.is(named(services).bot, bot))

test('services are what they are built from', () => {
  const text = (path: string) =>
    ({ 'r/Dockerfile': '# x\nFROM --platform=x redis:7 AS y\n', 'b/Dockerfile': 'FROM python:3\n' })[path]
  assert.equal(
    named(
      'cache: { build: r }, bot: { build: b }, redis: { build: b }, postgres: { build: out/../../x }, m: { image: "mysql:8" }, f: { image: a/b }, up: { build: b, command: [alembic, upgrade] }, w: { build: b }',
      text,
    ),
    {
      ...{ bot: 'bot', migrations: ['up'], others: ['redis', 'postgres', 'w'] },
      ...{ known: ['cache cache', 'm mysql'], foreign: ['f'] },
    },
  )
})

test('a service that runs once brings the database up to date, and does nothing else', () => {
  const of = (text: string) => migrates(service(text))
  assert.equal(
    [
      ...[of('command: alembic upgrade head'), of('entrypoint: npm run db:push'), of('command: [x, migrate]')],
      ...[of('command: alembic upgrade head && x'), of('command: emigrated'), of('x: 1')],
    ],
    [true, true, true, false, false, false],
  )
  assert.equal(named('bot: { build: . }, immigrator: { build: ., command: x }').migrations, ['immigrator'])
})

for (const [build, context, path] of [
  ['.', '', 'Dockerfile'],
  ['./app/', 'app', 'app/Dockerfile'],
  ['{ context: app, dockerfile: ../D }', 'app', 'D'],
  ['{ dockerfile: ./docker/D }', '', 'docker/D'],
  ['..', undefined, ''],
  ['/srv', undefined, ''],
  ['$X', undefined, ''],
  ['{ context: a, dockerfile: ../../D }', undefined, ''],
  ['https://x.org/a.git', undefined, ''],
  ['git@x.org:a', undefined, ''],
  ['my-https:', 'my-https:', 'my-https:/Dockerfile'],
] as const)
  test(`what is built from ${build}`, () =>
    assert.equal(
      dockerfileOf(service(`build: "${build}"`.replace(/"(\{.*\})"/, '$1'))),
      context === undefined ? undefined : { context, path },
    ))

test('a service that is not built has no Dockerfile', () => assert.is(dockerfileOf(service('image: x')), undefined))

const build = { folder: '', dockerfile: 'Dockerfile', target: 't', args: {}, from: '', image: undefined, notes: [] }
const further = (services: string, more: object = {}, isThere = true) =>
  furtherProcesses(
    arrange(composeServices(`services: { bot: { build: ., command: b }, ${services} }`, 'c.yml'), () => undefined),
    { processes: new Map([['x', { value: 'y', from: 'p:1' }]]) },
    { ...build, ...more },
    new Map([['P', '5']]),
    () => isThere,
  ).map((each) => ('note' in each ? each.note.split(':').slice(2).join(':').trim() : { [each.name]: each.keys }))

test('a further process has what is its own', () => {
  assert.equal(
    further(
      '"1_My.Api!": { build: { context: ., target: u }, command: "a $P", ports: ["80:81"], mem_limit: 64m, cpus: 0.5, init: true }, "_": { build: ., command: x, healthcheck: { test: "curl http://localhost/up" } }',
    ),
    [
      { 'my-api': { target: 'u', command: ['sh', '-c', 'a 5'], port: 81, memory: '64m', cpus: 0.5 } },
      { process: { command: ['x'] } },
    ],
  )
  for (const says of [
    'x: { build: ., command: run scheduler }',
    'cron: { build: ., command: x }',
    'a: { build: ., command: clock }',
  ])
    assert.match(JSON.stringify(further(says)), '"single":true')
  assert.not.match(JSON.stringify(further('a: { build: ., command: heartbeats }')), 'single')
})

test('what runs what the bot runs is no process, but for what its image runs by itself', () => {
  assert.match(String(further('a: { build: . }')), 'runs what the bot runs')
  assert.match(String(further('a: { build: { context: ., target: t } }')), 'runs what the bot runs')
  assert.equal(further('a: { build: { context: ., target: u } }'), [{ a: { target: 'u' } }])
  const image = { command: { value: ['own'], from: 'D:1' } }
  assert.equal(further('a: { build: . }', { image }), [{ a: { command: ['own'] } }])
  assert.equal(further('a: { build: { context: ., dockerfile: E } }', { image }), [{ a: { dockerfile: 'E' } }])
})

test('a process of another source has none here', () => {
  assert.match(String(further('a: { build: other, command: x }')), 'from another folder')
  assert.match(String(further('a: { build: .., command: x }')), 'from another folder')
  assert.match(
    String(further('a: { build: { context: app, dockerfile: ../E }, command: x }', { folder: 'app' })),
    'from another folder',
  )
  assert.equal(further('a: { build: app, command: x }', { folder: 'app' }), [{ a: { command: ['x'] } }])
  assert.match(
    String(further('a: { build: { context: ., dockerfile: E } }', {}, false)),
    'built from E, which is not there',
  )
  assert.equal(further('a: { image: "shop:1", command: x }'), [{ a: { command: ['x'] } }])
})

test('lines of a Procfile are processes where no compose file is, but behind an ENTRYPOINT', () => {
  const processes = new Map(['bot', 'release', 'a'].map((name) => [name, { value: `run ${name}`, from: 'p:1' }]))
  const of = (image?: object) =>
    furtherProcesses(
      arrange([], () => undefined),
      { processes },
      { ...build, image } as unknown as Parameters<typeof furtherProcesses>[2],
      new Map(),
      () => true,
    )
  assert.equal(of(), [{ name: 'a', from: 'p:1', keys: { command: ['run', 'a'] } }])
  assert.match(
    JSON.stringify(of({ file: 'D', entrypoint: { value: 'x', from: 'D:1' } })),
    'an argument of the ENTRYPOINT of D',
  )
})

test('so many processes as a bot may have are written, the others are said', () => {
  const all = ['a', 'b', 'c'].map((name) => ({ name, from: `${name}:1`, keys: { port: 1 } }))
  const { entries, notes } = processKey([...all, { note: 'n' }], 2)
  assert.equal(entries, [{ key: 'processes', value: { a: { port: 1 }, b: { port: 1 } }, why: 'a:1, b:1' }])
  assert.equal(notes, ['n', 'c:1: "c" is a process too many: this bot may have 2'])
  assert.equal(processKey([{ note: 'n' }], 2), { entries: [], notes: ['n'] })
})

for (const [what, url, expected] of [
  ['the name of a process', 'http://api:81/x', '${process.api.url}/x'],
  ['no path', 'https://my_api', '${process.my-api.url}'],
  ['one that has no port', 'http://worker', 'http://worker'],
  ['one that is none', 'http://else:1', 'http://else:1'],
  ['one in a longer text', 'see http://api', 'see http://api'],
  ['one behind a user', 'http://u@api:81', 'http://u@api:81'],
] as const)
  test(`an address with ${what}`, () => {
    const { manifest } = adopted({
      Dockerfile: 'FROM x\nCMD ["x"]\n',
      'compose.yml': `services: { bot: { build: ., environment: { A: "${url}" } }, api: { build: ., command: a, ports: [81] }, my_api: { build: ., command: a, ports: [81] }, worker: { build: ., command: a } }`,
    })
    assert.is(manifest.environment?.A, expected)
  })

const image = 'FROM x\nWORKDIR /app\nCMD ["x"]\n'
for (const [what, files, expected] of [
  ['the one at the top', { Dockerfile: image, 'bot/Dockerfile': image }, ['', 'Dockerfile']],
  ['one in a folder', { 'app/Dockerfile': image }, ['app', 'Dockerfile']],
  ['one for the bot', { 'api/Dockerfile': image, 'bot/Dockerfile': image }, ['bot', 'Dockerfile']],
  ['none for tests', { 'Dockerfile.test': image, 'a/b/Dockerfile': image }, ['a/b', 'Dockerfile']],
  [
    'one with a plain name',
    { 'Dockerfile.x': image, 'x.Dockerfile': image, Containerfile: image, 'a/Dockerfile': image },
    ['', 'Containerfile'],
  ],
  ['one for production', { 'x.Dockerfile': image, 'prod.Dockerfile': image }, ['', 'prod.Dockerfile']],
  ['none of a server', { Dockerfile: 'FROM --platform=x redis\n', 'bot.Dockerfile': image }, ['', 'bot.Dockerfile']],
  ['none too deep', { 'a/b/c/Dockerfile': image }, ['', undefined]],
  ['none by another name', { 'Dockerfile.dockerignore': '', MyDockerfile: '', 'Dockerfile~': '' }, ['', undefined]],
  [
    'the source above it, where that is copied',
    { 'app/Dockerfile': `${image}COPY ./src/ /x\n`, 'src/a': '' },
    ['', 'app/Dockerfile'],
  ],
  [
    'the folder, where that is copied',
    { 'app/Dockerfile': `${image}COPY --chown=a src /x\nCOPY b c\n`, 'app/src/a': '', 'app/b': '' },
    ['app', 'Dockerfile'],
  ],
  ['the source above a folder of recipes', { 'docker/Dockerfile': `${image}COPY . .\n` }, ['', 'docker/Dockerfile']],
  ['a folder that is named alike', { 'dockers/Dockerfile': `${image}COPY . .\n` }, ['dockers', 'Dockerfile']],
  ['a folder behind one', { 'x-docker/Dockerfile': `${image}COPY . .\n` }, ['x-docker', 'Dockerfile']],
  [
    'one that no service of another kind has',
    {
      'w/Dockerfile': image,
      'x/Dockerfile': image,
      'compose.yml': 'services: { bot: { build: w }, y: { build: x }, z: { image: "bot:1" } }',
    },
    ['w', 'Dockerfile'],
  ],
  [
    'that of the bot, which is elsewhere',
    {
      'w/Dockerfile': image,
      'x/Dockerfile': image,
      'compose.yml': 'services: { bot: { build: gone }, worker: { build: w } }',
    },
    ['x', 'Dockerfile'],
  ],
] as const)
  test(`the image is built from ${what}`, () => {
    const { build } = adopted(files as Files).bot
    assert.equal([build.folder, build.dockerfile], expected)
  })

test.run()
