import type { Found, Note } from '../read/finding.ts'
import type { Repository } from '../read/repository.ts'
import { composeFileIn, keptVariables, type Project, projectIn, servicesIn, shownVariables } from '../read/survey.ts'
import { type Build, buildOf } from './build.ts'
import { commandIn, type Entry, limitsIn, portAndHealth } from './container.ts'
import { databaseEngine, driverIn } from './database.ts'
import { environmentOf } from './environment.ts'
import { migrationsOf } from './migrations.ts'
import { looksSecret, nameMeans } from './names.ts'
import { notMapped } from './not-mapped.ts'
import type { Engine } from './servers.ts'
import { arrange, type Services } from './services.ts'
import { sqliteFiles } from './sqlite.ts'
import { hasPackage, startOf } from './start.ts'
import { storageKeys, storageOf } from './storage.ts'
import { gathered, meant } from './variables.ts'
import { deliveryNotes, deliveryOf } from './webhook.ts'

/** What is known of a bot after reading its repository. */
export interface AdoptedBot {
  readonly build: Build
  readonly project: Project
  readonly start: Found<string> | undefined
  readonly entries: readonly Entry[]
  readonly environment: readonly Entry[]
  readonly leftOut: ReadonlyMap<string, readonly string[]>
  readonly notes: readonly Note[]
}

/** Reads a repository as the source of the bot of this name. Nothing of it is run. */
export function botIn(repository: Repository, name: string): AdoptedBot {
  const compose = servicesIn(repository, composeFileIn(repository.files))
  const services = arrange(compose.services, repository.text)
  const atRoot = shownVariables(repository, [''])
  const known = new Map(atRoot.map((each) => [each.name, each.value ?? '']))
  const build = buildOf(repository, services, known)
  const { bot } = services
  const project = projectIn(repository, build.folder)
  const start = startOf(project)
  const workdir =
    bot?.workdir ??
    (build.image === undefined || build.image.workdir === '/' ? (build.image?.workdir ?? '/app') : build.image.workdir)

  const shown = build.folder === '' ? atRoot : shownVariables(repository, [build.folder, ''])
  const all = gathered(bot, shown, keptVariables(repository, build.folder), project.code.variables)
  // What an example leaves out a bot starts without.
  const counted = shown.length === 0 ? all : all.filter(({ shownBy }) => shownBy !== 'code')
  const engine = databaseEngine(counted, services, project)
  const variables = meant(all, engine?.value)
  const delivery = deliveryOf(variables, project.code, name)
  const ports = portAndHealth(
    bot,
    build.image,
    variables,
    delivery,
    delivery.mode.value === 'webhook' ? project.code.ports : [],
  )
  const sqlite = sqliteFiles(
    variables,
    project.code.sqliteFiles,
    workdir,
    (path) => sourceAt(project, path) === 'folder',
  )
  const port = ports.find(({ key }) => key === 'port')?.value
  const environment = environmentOf(variables, {
    ...{ bot: name, delivery, port: typeof port === 'number' ? port : undefined },
    ...{
      hasExample: shown.length > 0,
      takesCapitals: hasPackage(project, 'pydantic-settings') || hasPackage(project, 'pydantic'),
    },
    ...{ database: engine?.value, driver: driverIn(project)?.value, sqlite: sqlite.values },
  })
  const prefix = build.folder === '' ? '' : `${build.folder}/`
  const storage = storageOf(bot, build.image, workdir, known, (path) => sourceAt(repository, path))
  const command = commandIn(bot, build.image, start, known)
  const migrations = migrationsOf(repository, project, services, build)
  const hasDatabase = environment.usesDatabase || (engine?.value === 'postgres' && environment.entries.length === 0)
  const init = initScript(services, repository, prefix)
  return {
    ...{ build, project, start, environment: environment.entries, leftOut: environment.leftOut },
    entries: [
      { key: 'mode', value: delivery.mode.value, why: delivery.mode.from },
      ...(delivery.setsItself === undefined
        ? []
        : [{ key: 'webhook', value: 'bot', why: `it calls setWebhook itself: ${delivery.setsItself}` }]),
      ...(delivery.path === undefined
        ? []
        : [{ key: 'webhookPath', value: delivery.path.value, why: delivery.path.from }]),
      ...ports,
      databaseKey(hasDatabase, engine, environment.tcp, connectionsIn(variables, project), init),
      ...(hasDatabase ? migrations.entries : []),
      ...(environment.usesCache ? [cacheKey(services)] : []),
      ...storageKeys([...storage.data, ...sqlite.data], bot),
      ...buildKeys(build),
      ...command.entries,
      ...limitsIn(bot),
    ],
    notes: [
      ...compose.notes,
      ...build.notes,
      ...environment.notes,
      ...notMapped(
        services,
        project,
        engine,
        variables.some(({ meaning }) => meaning === 'token'),
      ),
      ...deliveryNotes(delivery, variables, typeof port === 'number' ? port : undefined),
      ...imageNotes(build),
      ...argNotes(build),
      ...storage.notes,
      ...sqlite.notes,
      ...command.notes,
      ...(hasDatabase ? migrations.notes : []),
      ...(hasDatabase || engine?.value !== 'postgres'
        ? []
        : [
            `${engine.from}: it asks for PostgreSQL, and no variable of its says where that is: set one as docs/bots.md shows, and take away "database: false"`,
          ]),
    ],
  }
}

function databaseKey(
  hasDatabase: boolean,
  engine: Found<Engine> | undefined,
  tcp: boolean,
  connections: Found<number> | undefined,
  init: Found<string> | undefined,
): Entry {
  if (!hasDatabase)
    return {
      key: 'database',
      value: false,
      why: engine === undefined ? 'nothing says that it has one' : `${engine.value}: ${engine.from}`,
    }
  const needs = {
    ...(tcp && { tcp: true }),
    ...(connections !== undefined && { connections: connections.value }),
    ...(init !== undefined && { init: init.value }),
  }
  const why = [engine?.from, tcp ? 'reached as a host with a port' : undefined, connections?.from, init?.from].filter(
    (each) => each !== undefined,
  )
  return { key: 'database', value: Object.keys(needs).length === 0 ? true : needs, why: why.join('; ') }
}

/** The size of the pool, where it is more than the four that every bot may open. */
function connectionsIn(variables: ReturnType<typeof meant>, { python, node }: Project): Found<number> | undefined {
  const numberOf = (test: RegExp) =>
    variables.find(({ name, value = '' }) => test.test(name) && /^\d{1,2}$/.test(value))
  const size = numberOf(/POOL_(SIZE|MAX(_SIZE)?)$|MAX_(POOL_SIZE|CONNECTIONS)$/)
  const more = numberOf(/MAX_OVERFLOW$/)
  const total = Number(size?.value ?? 0) + Number(more?.value ?? 0)
  if (size !== undefined && total > 4)
    return {
      value: Math.min(total, 20),
      from: `${size.from}${total > 20 ? `, which has ${total}: a small host has 60 for all` : ''}`,
    }
  const asyncpg = python?.dependencies.get('asyncpg')
  if (
    asyncpg !== undefined &&
    !['sqlalchemy', 'sqlmodel', 'tortoise-orm'].some((name) => python?.dependencies.has(name))
  )
    return { value: 10, from: `the pool of asyncpg opens ten at once: ${asyncpg}` }
  const pg = node?.dependencies.get('pg')
  return pg === undefined ? undefined : { value: 10, from: `the pool of pg: ${pg}` }
}

/** What an image does that only root could use: a bot runs as a user of its own, who has no home there. */
function imageNotes({ image }: Build): Note[] {
  const text = image?.text ?? ''
  const isPoetrys =
    /poetry install/.test(text) &&
    !/virtualenvs\.create|VIRTUALENVS_CREATE|in-project|IN_PROJECT|CACHE_DIR|VIRTUALENVS_PATH|VIRTUAL_ENV/i.test(text)
  if (!isPoetrys && !/(PATH=|CMD|ENTRYPOINT|WORKDIR).*\/root\//.test(text)) return []
  return [
    `${image?.file}: names a folder in the home of root, which the user of a bot cannot read: ${isPoetrys ? 'add ENV POETRY_VIRTUALENVS_IN_PROJECT=true' : 'install it elsewhere'}`,
  ]
}

/** A server that writes to a disk elsewhere keeps what it holds here as well. */
function cacheKey({ known }: Services): Entry {
  const found = known.find(({ kind }) => kind === 'cache')
  const persists = found?.service.volumes.some(({ value }) => /data/.test(value.target)) === true
  return {
    key: 'cache',
    value: persists ? { server: 'valkey', persist: true } : 'valkey',
    why: found === undefined ? 'variables for Redis' : `${found.service.from}${persists ? ', with a volume' : ''}`,
  }
}

function buildKeys({ dockerfile, target, args, from }: Build): Entry[] {
  const open = Object.entries(args).filter(([name, value]) => nameMeans(name, value) === 'plain' && !looksSecret(value))
  return [
    ...(dockerfile === undefined || dockerfile === 'Dockerfile'
      ? []
      : [{ key: 'dockerfile', value: dockerfile, why: from }]),
    ...(target === undefined ? [] : [{ key: 'target', value: target, why: from }]),
    ...(open.length === 0 ? [] : [{ key: 'args', value: Object.fromEntries(open), why: from }]),
  ]
}

function argNotes({ args, from }: Build): Note[] {
  const secret = Object.entries(args).flatMap(([name, value]) =>
    nameMeans(name, value) === 'plain' && !looksSecret(value) ? [] : [name],
  )
  return secret.length === 0
    ? []
    : [
        `${from}: build arguments stay in the history of the image, and these may be secret: ${secret.join(', ')}: have the bot read them when it starts`,
      ]
}

/** SQL that the image of PostgreSQL runs when its disk is new. */
function initScript({ known }: Services, repository: Repository, prefix: string): Found<string> | undefined {
  const postgres = known.find(({ kind }) => kind === 'postgres')?.service
  for (const { value, from } of postgres?.volumes ?? []) {
    if (!value.target.startsWith('/docker-entrypoint-initdb.d')) continue
    const path = (value.source ?? '').replace(/^\.\//, '').replace(/\/$/, '')
    const scripts = repository.files.filter(
      (file) => file === path || (file.startsWith(`${path}/`) && !file.slice(path.length + 1).includes('/')),
    )
    const [script] = scripts
    if (script?.endsWith('.sql') && scripts.length === 1 && script.startsWith(prefix))
      return { value: script.slice(prefix.length), from }
  }
  return undefined
}

function sourceAt({ files }: Pick<Repository, 'files'>, path: string): 'file' | 'folder' | undefined {
  if (files.includes(path)) return 'file'
  const inside = files.filter((file) => file.startsWith(`${path}/`))
  // A folder that is kept empty is one to write to.
  return inside.some((file) => !/\/\.git(keep|ignore)$|\/\.keep$/.test(file)) ? 'folder' : undefined
}
