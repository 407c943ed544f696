// Variables that refer to what only the host knows, filled in by a real sh.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { filledVariables, variablesFunction } from '../../../roles/bot/release/variables.ts'
import { literalOf, looksLikeToken, piecesOf, referenceFault } from '../../../roles/bot/spec/references.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import { scratchHost } from '../../support/scratch-host.ts'

const instance = {
  ...{ bot: 'a-bot', number: 1, base: '10.210', telegram: 'https://api.telegram.org' },
  origin: 'https://bots.example.org:8443',
}
const secrets = '/etc/botgarden/secrets/bots/a-bot'
const file = '/run/botgarden/variables/a-bot-blue'

/** What a file of variables says, as Compose 2.26 reads it: between double quotes a backslash takes the next character as it is. */
function readAsCompose(text: string): Record<string, string> {
  const found = [...text.matchAll(/^(\w+)="((?:[^"\\]|\\[\s\S])*)"$/gm)]
  return Object.fromEntries(found.map(([, name, value = '']) => [name, value.replace(/\\([\s\S])/g, '$1')]))
}

/** The variables that a command is given, and what is left behind of them. */
async function given(
  environment: Record<string, string>,
  files: Record<string, string>,
  { fails = false, tcp = false } = {},
) {
  const host = scratchHost({ reader: `stat -c %a ${file}; cat ${file}; ${fails ? 'exit 7' : ''}` })
  for (const [name, content] of Object.entries(files)) host.write(`${secrets}/${name}`, content)
  const script = variablesFunction(instance, 'blue', specOf('i', { environment, database: { tcp } }, {}))
  const { code, output } = await host.run(`${script.text}\nwith_variables reader || exit $?`)
  return { code, output, left: host.there(file), values: readAsCompose(output) }
}

for (const [value, pieces] of [
  ['plain', [{ text: 'plain' }]],
  ['a$b', [{ text: 'a' }, { text: '$' }, { text: 'b' }]],
  ['$${token}', [{ text: '$' }, { text: '{token}' }]],
  ['${token}', [{ name: 'token' }]],
  ['x${ token }y', [{ text: 'x' }, { name: 'token' }, { text: 'y' }]],
  ['$$${token}$', [{ text: '$' }, { name: 'token' }, { text: '$' }]],
  ['', []],
] as const)
  test(`the pieces of ${JSON.stringify(value)}`, () => assert.equal(piecesOf(value), pieces))

test('two dollars are one, and any other dollar is itself', () => assert.is(literalOf('$$5 $x $'), '$5 $x $'))

for (const [value, message] of [
  ['${tokn}', /^\$\{tokn\} is nothing that the host knows \(did you mean "token"\?\)/],
  ['${database.uri}', /did you mean "database.url"/],
  ['${HOME}', /is nothing that the host knows.*\$\$\{…\}/],
  ['${}', /is nothing/],
  ['${token', /without its "}"/],
  ['${secret.key}', /in capitals/],
  ['${secret.}', /in capitals/],
] as const)
  test(`refused: ${value}`, () => assert.match(referenceFault(value) ?? '', message))

test('all that is known is accepted', () => {
  for (const value of ['${token}', 'a${secret.API_KEY}b', '${database.url}?x=1', '$$', '${webhook.secret}'])
    assert.is(referenceFault(value), undefined)
})

test('a token is known by its look', () => {
  const token = `12345678:${'A'.repeat(35)}`
  assert.equal(
    [token, `x=${token}`, `https://x/bot${token}`, '12:30', `a12345678:${'b'.repeat(10)}`].map(looksLikeToken),
    [true, true, false, false, false],
  )
})

test('parts of the database are put together as a client wants them', async () => {
  const { values, code, left, output } = await given(
    {
      URL: '${database.url}',
      OWN: 'postgresql+asyncpg://${database.user}:${database.password}@/${database.name}?host=${database.host}',
      TOKEN: '${token}',
    },
    { token: '1:abc', 'database-password': 'p-w' },
  )
  assert.is(code, 0, output)
  assert.equal(values, {
    URL: 'postgresql://a_bot:p-w@/a_bot?host=/run/postgresql',
    OWN: 'postgresql+asyncpg://a_bot:p-w@/a_bot?host=/run/postgresql',
    TOKEN: '1:abc',
  })
  assert.match(output, /^600$/m)
  assert.not.ok(left, 'the file is gone')
})

test('by TCP as well: the forms of node-postgres, pgx, Prisma and SQLAlchemy; JDBC has the password apart', async () => {
  const { values } = await given(
    {
      URL: '${database.url}',
      TLS: '${database.url}?sslmode=require',
      PRISMA: '${database.url}?schema=public',
      OWN: 'postgresql+asyncpg://${database.user}:${database.password}@${database.host}:${database.port}/${database.name}',
      JDBC: 'jdbc:postgresql://${database.host}:${database.port}/${database.name}?password=${database.password}',
    },
    { 'database-password': 'p-w' },
    { tcp: true },
  )
  const own = 'a_bot:p-w@postgres:5432/a_bot'
  assert.equal(values, {
    URL: `postgresql://${own}`,
    TLS: `postgresql://${own}?sslmode=require`,
    PRISMA: `postgresql://${own}?schema=public`,
    OWN: `postgresql+asyncpg://${own}`,
    JDBC: 'jdbc:postgresql://postgres:5432/a_bot?password=p-w',
  })
})

test('what does not name a secret is known without the host', () => {
  const environment = { A: '${public.host} ${bot.name}', B: '${webhook.url}', C: '${webhook.path}${database.name}' }
  const { plain, secret } = filledVariables(instance, 'blue', specOf('i', { environment }, {}))
  assert.equal(plain, {
    A: 'bots.example.org a-bot',
    B: 'https://bots.example.org:8443/tg/a-bot',
    C: '/webhooka_bot',
  })
  assert.equal(secret, [])
})

test('any secret arrives as it is, whatever a shell or Compose would make of it', async () => {
  const nasty = [
    '"',
    "'",
    '\\',
    '\\\\"',
    '$HOME ${X} $$',
    'a\\',
    '\\n',
    'two\nlines',
    ' spaces ',
    '#x',
    '`id`',
    '%s',
    'é✓',
    '\t',
  ]
  const names = nasty.map((_, i) => `S${i}`)
  const { values } = await given(
    Object.fromEntries(names.map((name) => [`V_${name}`, `<\\"$ \${secret.${name}}>`])),
    Object.fromEntries(names.map((name, i) => [name, nasty[i] ?? ''])),
  )
  assert.equal(
    names.map((name) => values[`V_${name}`]),
    nasty.map((each) => `<\\"$ ${each}>`),
  )
})

test('a secret that is missing ends it with its name, and the command is not run', async () => {
  const { code, output, left } = await given({ A: '${secret.KEY}' }, {})
  assert.is(code, 1)
  assert.match(output, /secrets\/bots\/a-bot\/KEY is missing or empty, and a variable of the bot needs it/)
  assert.not.match(output, /^600$/m)
  assert.not.ok(left)
})

test('the exit code is the command’s, and the file is gone after a failure too', async () => {
  const { code, left } = await given({ A: '${token}' }, { token: 'x' }, { fails: true })
  assert.equal([code, left], [7, false])
})

test('a bot without secret variables runs its commands as they are', async () => {
  const { values, output } = await given({ A: 'b' }, {})
  assert.equal(values, {})
  assert.match(output, /cannot stat|No such file/)
})

test.run()
