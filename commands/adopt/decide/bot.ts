import type { Found, Note } from '../read/finding.ts'
import type { Repository } from '../read/repository.ts'
import { composeFileIn, keptVariables, type Project, projectIn, servicesIn, shownVariables } from '../read/survey.ts'
import { type Build, buildOf } from './build.ts'
import { argNotes, buildKeys, imageNotes } from './build-keys.ts'
import { commandIn, type Entry, limitsIn, portAndHealth } from './container.ts'
import { databaseEngine, driverIn } from './database.ts'
import { environmentOf } from './environment.ts'
import { interpolated } from './interpolate.ts'
import { migrationsOf } from './migrations.ts'
import { notMapped } from './not-mapped.ts'
import { furtherProcesses, processKey, withProcesses } from './processes.ts'
import { cacheKey, connectionsIn, databaseKey, initScript } from './server-keys.ts'
import { arrange } from './services.ts'
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
  const atRoot = shownVariables(repository, [''])
  const known = new Map(atRoot.map((each) => [each.name, each.value ?? '']))
  const compose = servicesIn(repository, composeFileIn(repository.files), (text) => interpolated(text, known))
  const services = arrange(compose.services, repository.text)
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
  const further = furtherProcesses(services, project, build, known, (path) => repository.files.includes(path))
  // As many as a bot may have; each has connections of its own.
  const processes = processKey(further, environment.tcp ? 3 : 8)
  const init = initScript(services, repository, prefix)
  return {
    ...{ build, project, start, leftOut: environment.leftOut },
    environment: withProcesses(environment.entries, further, processes.entries),
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
      ...processes.entries,
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
      ...processes.notes,
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

function sourceAt({ files }: Pick<Repository, 'files'>, path: string): 'file' | 'folder' | undefined {
  if (files.includes(path)) return 'file'
  const inside = files.filter((file) => file.startsWith(`${path}/`))
  // A folder that is kept empty is one to write to.
  return inside.some((file) => !/\/\.git(keep|ignore)$|\/\.keep$/.test(file)) ? 'folder' : undefined
}
