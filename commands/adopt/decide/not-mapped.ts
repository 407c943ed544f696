import type { Found, Note } from '../read/finding.ts'
import type { Project } from '../read/survey.ts'
import { adviceFor } from './images.ts'
import type { Engine } from './servers.ts'
import type { Services } from './services.ts'
import { sessionLibrary } from './start.ts'
import type { Meant } from './variables.ts'

/** What stands beside the bot elsewhere and has no place here, with what to do. */
export function notMapped(
  services: Services,
  project: Project,
  database: Found<Engine> | undefined,
  hasDatabase: boolean,
  variables: readonly Meant[],
): Note[] {
  return [
    ...aboutServices(services),
    ...aboutPowers(services),
    ...aboutDatabase(services, database, hasDatabase),
    ...aboutFiles(
      project,
      variables.some(({ meaning }) => meaning === 'token'),
    ),
  ]
}

function aboutServices({ known, foreign }: Services): Note[] {
  return [
    ...known.flatMap(({ service, kind }) => {
      const advice = adviceFor[kind]
      return advice === undefined
        ? []
        : [`${service.from}: the service "${service.name}" (${service.image ?? kind}): ${advice}`]
    }),
    ...foreign.map(
      ({ from, name, image = '' }) =>
        `${from}: the service "${name}" (${image}) is not known here: name such a server elsewhere by variables`,
    ),
    ...known.flatMap(({ service: { image = '', from } }) =>
      /pgvector|timescale|postgis/.test(image)
        ? [`${from}: ${image} has extensions that PostgreSQL here does not bring`]
        : /redis-stack/.test(image)
          ? [`${from}: ${image} has modules that Valkey here does not bring`]
          : [],
    ),
  ]
}

function aboutPowers({ bot }: Services): Note[] {
  if (bot === undefined) return []
  const published = bot.ports.filter(({ value }) => value.published)
  return [
    ...bot.powers.map(
      ({ value, from }) =>
        `${from}: ${value}: a bot gets none of it: its container is alone, read-only and without capabilities`,
    ),
    ...(published.length === 0
      ? []
      : [
          `${published[0]?.from}: publishes ${published.length === 1 ? 'a port' : 'ports'} on the host (${[...new Set(published.map(({ value }) => value.port))].join(', ')}): nothing is published here; Telegram's updates come through nginx, and so does what "public:" lists`,
        ]),
  ]
}

function aboutDatabase({ known }: Services, database: Found<Engine> | undefined, hasDatabase: boolean): Note[] {
  if (database?.value === 'postgres' && !hasDatabase)
    return [
      `${database.from}: it asks for PostgreSQL, and no variable says where that is: set one as docs/bots.md shows, and take away "database: false"`,
    ]
  if (database === undefined || (database.value !== 'mysql' && database.value !== 'mongo')) return []
  if (known.some(({ kind }) => kind === database.value)) return []
  const name = database.value === 'mysql' ? 'MySQL' : 'MongoDB'
  return [`${database.from}: the bot keeps its data in ${name}: ${adviceFor[database.value]}`]
}

function aboutFiles(project: Project, hasToken: boolean): Note[] {
  const { files } = project
  const config = files.find((file) =>
    /(^|[._-])(config|settings)[\w.-]*\.(ya?ml|toml|ini|json)\.(example|sample|dist|template)$|^(example|sample)[._-]config\.\w+$|^\.?config\.(example|sample|dist)\.\w+$/.test(
      file,
    ),
  )
  const session = sessionLibrary(project)
  return [
    ...(hasToken
      ? []
      : [
          `${config === undefined ? '' : `${config}: the bot reads a file: `}no variable for the token was found: have it read one, and set that to \${token}, or the file that BOT_TOKEN_FILE names`,
        ]),
    ...project.code.localServers
      .slice(0, 3)
      .map(
        (from) =>
          `${from}: names this very machine as where a server is, and in a container nobody is there: have it read a variable`,
      ),
    ...(session === undefined
      ? []
      : [
          `${session} logs in to Telegram by itself and keeps a session in a file: have it kept in a folder under "data:"`,
        ]),
  ]
}
