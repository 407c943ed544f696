// What runs at times elsewhere becomes a job here, or is said with its line.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { scheduleOf } from '../../../commands/adopt/decide/jobs/schedule.ts'
import { onlyCron, startsCron } from '../../../commands/adopt/decide/jobs/scheduled-services.ts'
import { crontab } from '../../../commands/adopt/read/crontab.ts'
import { adopted, type Files } from './support.ts'

for (const [said, expected] of [
  ['0 9 * * 1-5', { schedule: '0 9 * * 1-5' }],
  ['@Daily', { schedule: '@Daily' }],
  ['0 */5 * * * *', { schedule: '*/5 * * * *' }],
  ['0 0 3 ? * MON', { schedule: '0 3 * * MON' }],
  ['@every 1m', { schedule: '* * * * *' }],
  ['@every 15m', { schedule: '*/15 * * * *' }],
  ['@every 1h', { schedule: '@hourly' }],
  ['@every 60m0s', { schedule: '@hourly' }],
  ['@every 6h', { schedule: '0 */6 * * *' }],
  ['@every 24h', { schedule: '@daily' }],
  ['CRON_TZ=Asia/Tokyo 0 6 * * *', { schedule: '0 6 * * *', timezone: 'Asia/Tokyo' }],
] as const)
  test(`the schedule ${said}`, () => assert.equal(scheduleOf(said), expected))

for (const said of [
  '@every 10s',
  '@every 7m',
  '@every 5h',
  '@every 0m',
  '30 0 9 * * *',
  '@reboot',
  '0 9 * *',
  '61 * * * *',
  '0 0 31 2 *',
  '',
])
  test(`no schedule: "${said}"`, () => assert.ok('fault' in scheduleOf(said)))

test('of a crontab the lines count, in their time zone and without the user', () => {
  const text =
    'MAILTO=me\n# 0 0 * * * no\nCRON_TZ="Europe/Rome"\n0 3 * * * root node a.js\n@daily  b.sh\n\n0 0 3 * * * c\nno line\n'
  const zone = { timezone: 'Europe/Rome' }
  assert.equal(crontab(text, 'c', false), [
    { schedule: '0 3 * * *', command: 'node a.js', ...zone, from: 'c:4' },
    { schedule: '@daily', command: 'b.sh', ...zone, from: 'c:5' },
    { schedule: '0 0 3 * * *', command: 'c', ...zone, from: 'c:7' },
  ])
  assert.is(crontab('0 3 * * * nobody node a.js', 'c', true)[0]?.command, 'node a.js')
})

for (const [command, starts, alone] of [
  ['supercronic /app/crontab', true, true],
  ['cron && tail -f /var/log/cron.log', true, true],
  ['sh -c printenv > /etc/environment && exec cron -f', true, true],
  ['/usr/sbin/crond -f -l 8', true, true],
  ['(python3 bot.py &) && cron -f', true, false],
  ['cron; node bot.js', true, false],
  ['#!/bin/sh\nset -e\nsupercronic /app/c &\nexec uvicorn main:app', true, false],
  ['node cron.js', false, false],
  ['npm run cron', false, false],
  ['python -m bot.cron', false, false],
  ['celery beat --crond', false, false],
] as const)
  test(`cron in: ${JSON.stringify(command)}`, () => {
    assert.is(startsCron(command), starts)
    if (starts) assert.is(onlyCron(command), alone)
  })

const dockerfile = 'FROM node:26-slim\nWORKDIR /app\nCOPY . .\nCMD ["node", "bot.js"]\n'
const ofelia = (labels: string, bot = '') => ({
  Dockerfile: dockerfile,
  'compose.yml': `services:\n  bot:\n    build: .\n${bot}    labels:\n${labels
    .split('\n')
    .map((line) => `      ${line}\n`)
    .join('')}  ofelia: { image: "mcuadros/ofelia:latest" }\n`,
})

/** Files, and the jobs that they become. */
const mapped: readonly (readonly [what: string, files: Files, jobs: Readonly<Record<string, unknown>>])[] = [
  [
    'labels of Ofelia, in the time zone of the container',
    ofelia(
      'ofelia.enabled: "true"\nofelia.job-exec.send_digest.schedule: "0 0 9 * * *"\nofelia.job-exec.send_digest.command: node digest.js --all',
      '    environment: [TZ=Europe/Berlin]\n',
    ),
    { 'send-digest': { schedule: '0 9 * * *', timezone: 'Europe/Berlin', command: ['node', 'digest.js', '--all'] } },
  ],
  [
    'labels of Ofelia’s own container that name the bot’s',
    {
      Dockerfile: dockerfile,
      'compose.yml':
        'services: { bot: { build: ., container_name: the-bot }, ofelia: { image: mcuadros/ofelia, labels: [ofelia.job-exec.x.schedule=@hourly, ofelia.job-exec.x.container=the-bot, ofelia.job-exec.x.command=node x.js] } }',
    },
    { x: { schedule: '@hourly', command: ['node', 'x.js'] } },
  ],
  [
    'a service that swarm-cronjob starts',
    {
      Dockerfile: dockerfile,
      'compose.yml':
        'services: { bot: { build: . }, report: { build: ., command: node report.js, deploy: { labels: [swarm.cronjob.enable=true, "swarm.cronjob.schedule=0 4 * * *"] } } }',
    },
    { report: { schedule: '0 4 * * *', command: ['node', 'report.js'] } },
  ],
  [
    'supercronic, with a file beside the code',
    {
      Dockerfile: dockerfile,
      'ops/my.crontab': '0 9 * * mon node digest.js >> /var/log/x.log 2>&1\n',
      'compose.yml':
        'services: { bot: { build: . }, cron: { build: ., command: supercronic -quiet /app/ops/my.crontab } }',
    },
    { digest: { schedule: '0 9 * * mon', command: ['node', 'digest.js'] } },
  ],
  [
    'crond, with a file that is mounted',
    {
      Dockerfile: dockerfile,
      jobs: '*/10 * * * * cd /app && node poll.js\n',
      'compose.yml':
        'services: { bot: { build: . }, cron: { build: ., command: crond -f, volumes: ["./jobs:/etc/crontabs/root:ro"] } }',
    },
    { poll: { schedule: '*/10 * * * *', command: ['node', 'poll.js'] } },
  ],
  [
    'cron in an image of its own, with users',
    {
      Dockerfile: dockerfile,
      'cron/Dockerfile':
        'FROM node:26\nWORKDIR /app\nCOPY cron/times /etc/cron.d/\nCOPY . .\nCMD cron && tail -f /dev/null\n',
      'cron/times': '0 1 * * * www node night.js\n',
      'compose.yml': 'services: { bot: { build: . }, cron: { build: { context: ., dockerfile: cron/Dockerfile } } }',
    },
    { night: { schedule: '0 1 * * *', command: ['node', 'night.js'] } },
  ],
  [
    'cron of the bot, with a file that its Dockerfile installs',
    {
      Dockerfile:
        'FROM python\nWORKDIR /app\nCOPY times /etc/cron.d/times\nRUN chmod 0644 /etc/cron.d/times && crontab /etc/cron.d/times\nCOPY . .\nCMD cron && python bot.py\n',
      times: '0 1 * * * python night.py\n',
    },
    { night: { schedule: '0 1 * * *', command: ['python', 'night.py'] } },
  ],
  [
    'a line that the Dockerfile writes, beside the bot',
    {
      Dockerfile: `FROM python:3.13\nWORKDIR /app\nCOPY . .\nRUN echo "0 17 * * * /usr/local/bin/python3 /app/notify.py" | crontab -\nCMD ["bash", "-c", "(python3 bot.py &) && cron -f"]\n`,
    },
    { notify: { schedule: '0 17 * * *', command: ['/usr/local/bin/python3', '/app/notify.py'] } },
  ],
  [
    'a script that starts cron beside the bot',
    {
      Dockerfile: 'FROM node\nWORKDIR /app\nCOPY . .\nCMD ["./start.sh"]\n',
      'start.sh': '#!/bin/sh\nsupercronic /app/crontab &\nexec node bot.js\n',
      crontab: '@weekly node week.js\n',
    },
    { week: { schedule: '@weekly', command: ['node', 'week.js'] } },
  ],
  [
    'a line of a Procfile, and app.json of Dokku',
    {
      Procfile: 'bot: node bot.js\ncron: supercronic crontab\n',
      crontab: '@daily npm run day:send\n',
      'app.json': '{"cron":[{"command":"node a.js","schedule":"0 5 * * *"},{"command":"","schedule":"x"},7]}',
    },
    {
      'day-send': { schedule: '@daily', command: ['npm', 'run', 'day:send'] },
      a: { schedule: '0 5 * * *', command: ['node', 'a.js'] },
    },
  ],
  [
    'two of one name',
    { crontab: '@daily node a.js\n@weekly node a.js x\n', Procfile: 'bot: node b.js\ncron: supercronic crontab\n' },
    {
      a: { schedule: '@daily', command: ['node', 'a.js'] },
      'a-2': { schedule: '@weekly', command: ['node', 'a.js', 'x'] },
    },
  ],
]
for (const [what, files, jobs] of mapped)
  test(`a job: ${what}`, () => {
    const { manifest } = adopted(files)
    assert.equal(manifest.jobs, jobs)
    assert.is(manifest.processes, undefined)
  })

const crontabOf = (line: string, more = ''): Files => ({
  Dockerfile: `${dockerfile}${more}`,
  crontab: line,
  'compose.yml': 'services: { bot: { build: . }, cron: { build: ., command: supercronic crontab } }',
})
for (const [what, files, said] of [
  [
    'every ten seconds',
    ofelia('ofelia.job-exec.x.schedule: "@every 10s"\nofelia.job-exec.x.command: a'),
    /compose\.yml:5: a: its schedule "@every 10s" cannot be had/,
  ],
  [
    'another image',
    ofelia('ofelia.job-run.x.schedule: "@daily"\nofelia.job-run.x.image: alpine'),
    /the job "x" of Ofelia runs in a container of alpine: not mapped/,
  ],
  [
    'the machine',
    ofelia('ofelia.job-local.x.schedule: "@daily"\nofelia.job-local.x.command: date'),
    /runs on the machine itself: not mapped/,
  ],
  ['no command', ofelia('ofelia.job-exec.x.schedule: "@daily"'), /"x" of Ofelia has no command/],
  [
    'a container of somebody else’s',
    ofelia('ofelia.job-exec.x.schedule: "@daily"\nofelia.job-exec.x.container: db\nofelia.job-exec.x.command: a'),
    /runs in the container of "db", which is not that of the bot/,
  ],
  [
    'what is for the host',
    crontabOf('0 1 * * * docker compose exec bot node a.js'),
    /crontab:1: docker compose .* is for the host: not mapped; .* at '0 1 \* \* \*'/,
  ],
  ['a secret', crontabOf('0 1 * * * node a.js --key $API_KEY'), /crontab:1: a job with a secret among its words/],
  [
    'a secret as it is',
    crontabOf('0 1 * * * node a.js --key a1b2c3d4e5f6a7b8c9d0e1f2'),
    /crontab:1: a job with a secret among its words/,
  ],
  ['a percent sign', crontabOf('0 1 * * * mail me%hello'), /crontab:1: .*a % begins the input/],
  [
    'a time zone that is none',
    crontabOf('TZ=Mars/Base\n0 1 * * * node a.js'),
    /crontab:2: node a\.js: .*a time zone like Europe\/Berlin/,
  ],
  [
    'a crontab that is not there',
    { Dockerfile: dockerfile, 'compose.yml': 'services: { bot: { build: . }, cron: { build: ., command: crond -f } }' },
    /compose\.yml:1: runs cron, and its crontab was not found/,
  ],
  ['a crontab that nobody starts', { crontab: '@daily x\n' }, /^crontab: a crontab that nothing here starts/m],
  [
    'Vercel',
    { 'vercel.json': '{"crons":[\n{"path":"/api/x","schedule":"0 5 * * *"}]}' },
    /vercel\.json:2: Vercel asks for \/api\/x at '0 5 \* \* \*'/,
  ],
  [
    'GitHub',
    {
      '.github/workflows/a.yml':
        'on:\n  schedule:\n    - cron: "0 6 * * *"\njobs:\n  x:\n    steps:\n      - run: python send.py\n',
    },
    /\.github\/workflows\/a\.yml:3: GitHub runs this at '0 6 \* \* \*'/,
  ],
  [
    'a library, where updates are polled for',
    { 'requirements.txt': 'aiogram\nAPScheduler==3\n' },
    /requirements\.txt:2: apscheduler keeps running inside the process.*never runs twice/,
  ],
  [
    'a library, with a webhook',
    { 'package.json': '{\n"dependencies": {\n"node-cron":"3"}}', 'a.js': 'webhookCallback(bot)\n' },
    /package\.json:3: node-cron keeps running .* "single: true"/,
  ],
] as const)
  test(`no job, but said: ${what}`, () => {
    const { notes, manifest } = adopted(files)
    assert.match(notes, said)
    assert.is(manifest.jobs, undefined)
  })

test('a secret among the words of a job is not shown', () => {
  const word = 'a1b2c3d4e5f6a7b8c9d0e1f2'
  for (const line of [
    `0 1 * * * node a.js --key=${word}`,
    `61 1 * * * node a.js ${word}`,
    `@reboot sh -c 'x ${word}'`,
  ]) {
    const { text, notes } = adopted(crontabOf(line))
    assert.not.match(text + notes, word)
    assert.match(notes, 'crontab:1: a job with a secret among its words')
  }
})

test('a schedule of what is tested is nobody’s', () => {
  const { notes } = adopted({
    '.github/workflows/a.yml':
      'on:\n  schedule:\n    - cron: "0 6 * * *"\njobs:\n  x:\n    steps:\n      - run: npm test\n      - run: node x.js\n',
  })
  assert.not.match(notes, /GitHub/)
})

test('jobs that may not simply begin stand behind a #', () => {
  const { text, manifest, notes } = adopted({ ...crontabOf('@daily node a.js', 'VOLUME /app/data\n') })
  assert.is(manifest.jobs, undefined)
  assert.match(text, '#jobs:\n#  a: { schedule: "@daily", command: [node, a.js] } # crontab:1\n')
  assert.match(notes, /a job would write to "data:" while the bot does/)
  const behind = adopted(crontabOf('@daily node a.js', 'ENTRYPOINT ["./go.sh"]\n'))
  assert.match(behind.notes, /Dockerfile:5: the command of a job would be an argument of this ENTRYPOINT/)
  const passedOn = adopted({ ...crontabOf('@daily node a.js', 'ENTRYPOINT ["./go.sh"]\n'), 'go.sh': 'exec "$@"\n' })
  assert.equal(Object.keys(passedOn.manifest.jobs ?? {}), ['a'])
})

test('a service that does more than start cron is a process as well', () => {
  const { manifest, notes } = adopted({
    ...{ Dockerfile: dockerfile, crontab: '@daily node a.js\n' },
    'compose.yml':
      'services: { bot: { build: . }, web: { build: ., command: sh -c "supercronic crontab & exec node web.js" } }',
  })
  assert.equal([Object.keys(manifest.jobs ?? {}), Object.keys(manifest.processes ?? {})], [['a'], ['web']])
  assert.match(notes, /"web" starts cron beside it/)
})

test('each job says where it is from, and what ran it is no process', () => {
  const { text } = adopted(crontabOf('@daily node a.js\n@weekly node b.js\n'))
  assert.match(
    text,
    'jobs:\n  a: { schedule: "@daily", command: [node, a.js] } # crontab:1\n  b: { schedule: "@weekly", command: [node, b.js] } # crontab:2\n',
  )
  assert.not.match(text, 'processes')
})

test('the processes of a fly.toml are those of the bot, and one that Heroku does not start is none', () => {
  const fly = adopted({
    'fly.toml': 'app = "x"\n[processes]\n  app = "python bot.py"\n  beat = \'celery beat\'\n[env]\n  A = "b"\n',
    'requirements.txt': 'aiogram\n',
  })
  assert.equal(fly.manifest.processes, { beat: { command: ['celery', 'beat'], single: true } })
  assert.is(fly.bot.start?.value, 'python bot.py')
  const heroku = adopted({
    Procfile: 'web: node site.js\nworker: node bot.js\n',
    'app.json': '{"formation":{"web":{"quantity":0},"worker":{"quantity":1}}}',
  })
  assert.is(heroku.manifest.processes, undefined)
  assert.is(heroku.bot.start?.value, 'node bot.js')
})

test.run()
