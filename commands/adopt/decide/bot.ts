import type { Found, Note, Variable } from '../read/finding.ts'
import type { Repository } from '../read/repository.ts'
import { composeFilesIn, keptVariables, type Project, projectIn, servicesIn, shownVariables } from '../read/survey.ts'
import { type Build, buildOf } from './build.ts'
import { argNotes, buildKeys, imageNotes } from './build-keys.ts'
import { commandIn, limitsIn, portAndHealth, withPort } from './container.ts'
import { databaseEngine, driverIn } from './database.ts'
import type { Entry } from './entry.ts'
import { environmentOf } from './environment.ts'
import { interpolated } from './interpolate.ts'
import { jobsOf } from './jobs/jobs.ts'
import { migrationsOf } from './migrations.ts'
import { notMapped } from './not-mapped.ts'
import { furtherProcesses, processKey, withPorts, withProcesses } from './processes.ts'
import { publicPaths, withNames } from './public/public-paths.ts'
import { cacheKey, connectionsIn, databaseKey, initScript } from './server-keys.ts'
import { arrange, type Services } from './services.ts'
import { sqliteFiles } from './sqlite.ts'
import { hasPackage, startOf } from './start.ts'
import { storageKeys, storageOf } from './storage.ts'
import { gathered, meant } from './variables.ts'
import { deliveryKeys, deliveryNotes, deliveryOf } from './webhook.ts'

/** What is known of a bot after reading its repository. */
export interface AdoptedBot {
  readonly build: Build
  readonly project: Project
  readonly start: Found<string> | undefined
  readonly entries: readonly Entry[]
  readonly environment: readonly Entry[]
  /** For the inventory: names of its own. */
  readonly domains: readonly string[]
  readonly leftOut: ReadonlyMap<string, readonly string[]>
  readonly notes: readonly Note[]
}

/** Reads a repository as the source of the bot of this name. Nothing of it is run. */
export function botIn(repository: Repository, name: string): AdoptedBot {
  const sight = sightOf(repository)
  const { known, services, build, project, shown, notes } = sight
  const { variables, engine } = understood(repository, { services, build, project, shown })
  const { bot } = services
  const start = startOf(project)
  const workdir = bot?.workdir ?? build.image?.workdir ?? '/app'
  const delivery = deliveryOf(variables, project.code, name)
  const isWebhook = delivery.mode.value === 'webhook'
  const sqlite = sqliteFiles(
    variables,
    project.code.sqliteFiles,
    workdir,
    (path) => sourceAt(project, path) === 'folder',
  )
  const storage = storageOf(bot, build.image, workdir, known, (path) => sourceAt(repository, path))
  const data = [...storage.data, ...sqlite.data]
  const jobs = jobsOf({ ...sight, repository, workdir, polls: !isWebhook }, data.length > 0)
  const isProcess = (line: string) => !jobs.asJobs.has(line)
  const all = furtherProcesses(
    { ...services, others: services.others.filter((each) => isProcess(each.name)) },
    { processes: new Map([...project.processes].filter(([line]) => isProcess(line))) },
    build,
    known,
    (path) => repository.files.includes(path),
  )
  const listening = portAndHealth(bot, build.image, variables, delivery, isWebhook ? project.code.ports : [])
  const open = publicPaths({ ...sight, repository, further: all, delivery, port: portIn(listening) })
  const further = withPorts(all, open.ports)
  const ports = withPort(listening, open.ports.get(''))
  const port = portIn(ports)
  const environment = environmentOf(variables, {
    ...{ delivery, port, driver: driverIn(project)?.value, sqlite: sqlite.values, hasExample: shown.length > 0 },
    takesCapitals: hasPackage(project, 'pydantic-settings') || hasPackage(project, 'pydantic'),
  })
  const command = commandIn(bot, build.image, start, known)
  const migrations = migrationsOf(repository, project, services, build)
  // As many as a bot may have; each has connections of its own.
  const processes = processKey(further, environment.tcp ? 3 : 8)
  const init = initScript(services, repository, build.folder === '' ? '' : `${build.folder}/`)
  const isOwn = environment.usesDatabase
  return {
    ...{ build, project, start, leftOut: environment.leftOut },
    domains: open.domains,
    environment: withNames(withProcesses(environment.entries, further, processes.entries), open),
    entries: [
      ...deliveryKeys(delivery),
      ...ports,
      databaseKey(isOwn, engine, environment.tcp, connectionsIn(variables, project), init),
      ...(isOwn ? migrations.entries : []),
      ...(environment.usesCache ? [cacheKey(services)] : []),
      ...storageKeys(data, bot),
      ...buildKeys(build),
      ...command.entries,
      ...limitsIn(bot),
      ...processes.entries,
      ...jobs.entries,
      ...open.entries,
    ],
    notes: [
      ...[...notes, ...build.notes, ...environment.notes],
      ...notMapped(services, project, engine, isOwn, variables),
      ...deliveryNotes(delivery, variables, port),
      ...[...imageNotes(build), ...argNotes(build), ...processes.notes],
      ...[...jobs.notes, ...open.notes],
      ...[...storage.notes, ...sqlite.notes, ...command.notes, ...(isOwn ? migrations.notes : [])],
    ],
  }
}

function portIn(entries: readonly Entry[]): number | undefined {
  return entries.flatMap(({ key, value, optional }) =>
    key === 'port' && typeof value === 'number' && !optional ? [value] : [],
  )[0]
}

interface Sight {
  /** Values of the example at the root, which a compose file fills in. */
  readonly known: ReadonlyMap<string, string>
  readonly services: Services
  readonly build: Build
  readonly project: Project
  readonly shown: readonly Variable[]
  readonly notes: readonly Note[]
}

/** What there is: services, the image, the project of the folder that the image is built from. */
function sightOf(repository: Repository): Sight {
  const atRoot = shownVariables(repository, [''])
  // The first one counts: that of tests comes last.
  const known = new Map(atRoot.toReversed().map((each) => [each.name, each.value ?? '']))
  const compose = servicesIn(repository, composeFilesIn(repository.files), (text) => interpolated(text, known))
  const services = arrange(compose.services, repository.text)
  const build = buildOf(repository, services, known)
  const shown = build.folder === '' ? atRoot : shownVariables(repository, [build.folder, ''])
  return { known, services, build, shown, project: projectIn(repository, build.folder), notes: compose.notes }
}

/** The variables with their meaning, and the database that they are about. */
function understood(repository: Repository, { services, build, project, shown }: Omit<Sight, 'known' | 'notes'>) {
  const all = gathered(services.bot, shown, keptVariables(repository, build.folder), project.code.variables)
  // What an example leaves out a bot starts without.
  const counted = shown.length === 0 ? all : all.filter(({ shownBy }) => shownBy !== 'code')
  const engine = databaseEngine(counted, services, project)
  return { variables: meant(all, engine?.value), engine }
}

function sourceAt({ files }: Pick<Repository, 'files'>, path: string): 'file' | 'folder' | undefined {
  if (files.includes(path)) return 'file'
  const inside = files.filter((file) => file.startsWith(`${path}/`))
  // A folder that is kept empty is one to write to.
  return inside.some((file) => !/\/\.git(keep|ignore)$|\/\.keep$/.test(file)) ? 'folder' : undefined
}
