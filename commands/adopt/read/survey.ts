import { basename, dirname, join } from 'node:path/posix'
import { composeServices } from './compose.ts'
import type { ComposeService, Fill } from './compose-service.ts'
import { envExample } from './env-example.ts'
import type { Found, Note, Variable } from './finding.ts'
import { type GoProject, goMod } from './go-mod.ts'
import { type NodeProject, nodeProject } from './package-json.ts'
import { flyProcesses, unwantedProcesses } from './platform-files.ts'
import { appJson, procfile } from './procfile.ts'
import { joined, type PythonProject, pyproject, requirements } from './python-project.ts'
import { isEnvExample, type Repository } from './repository.ts'
import { runLines } from './run-lines.ts'
import { type CodeFacts, codeFacts } from './source-code.ts'

/** A project in one folder of a repository: what its files say of the language, and of how it is started. */
export interface Project {
  readonly files: readonly string[]
  readonly node: NodeProject | undefined
  readonly python: PythonProject | undefined
  readonly go: GoProject | undefined
  readonly processes: ReadonlyMap<string, Found<string>>
  readonly runLines: readonly Found<string>[]
  readonly code: CodeFacts
}

/** Code that is read for what it says; a bot has less. */
const maxCodeFiles = 600
const maxCodeBytes = 20_000_000

/** The compose file, and the one of production that is laid over it; none that is for development alone. */
export function composeFilesIn(files: readonly string[]): readonly string[] {
  const name = /^(docker-)?compose(\.(prod|production|deploy))?\.ya?ml$/
  const here = files.filter((file) => name.test(basename(file)) && file.split('/').length <= 2)
  const [first] = here.toSorted((a, b) => a.split('/').length - b.split('/').length)
  if (first === undefined) return []
  return here.filter((file) => dirname(file) === dirname(first)).sort((a, b) => a.length - b.length)
}

/** The services of these files, of which a later one adds to those before it. */
export function servicesIn(
  repository: Repository,
  paths: readonly string[],
  fill: Fill,
): { services: readonly ComposeService[]; notes: Note[] } {
  const services = new Map<string, ComposeService>()
  const notes: Note[] = []
  for (const path of paths) {
    const text = repository.text(path)
    if (text === undefined) notes.push(`${path}: no text, or larger than 512 KB: it was not read`)
    try {
      for (const service of composeServices(text ?? '', path, fill).map((each) => fromRoot(each, dirname(path))))
        services.set(service.name, over(services.get(service.name), service))
    } catch (error) {
      notes.push(`${path}: cannot be read as YAML, so nothing is taken from it: ${(error as Error).message}`)
    }
  }
  return { services: [...services.values()], notes }
}

/** Its paths are from the folder of its file. */
function fromRoot(service: ComposeService, folder: string): ComposeService {
  const { build, volumes } = service
  if (folder === '.') return service
  const here = (path: string) => (/^\.\.?(\/|$)/.test(path) || path === '.' ? `./${join(folder, path)}` : path)
  const context =
    build === undefined || /^([\w+]+:|git@|\/|\$)/.test(build.value.context)
      ? undefined
      : join(folder, build.value.context)
  return {
    ...service,
    build: build === undefined || context === undefined ? build : { ...build, value: { ...build.value, context } },
    volumes: volumes.map((each) => ({
      ...each,
      value: { ...each.value, source: each.value.source && here(each.value.source) },
    })),
  }
}

/** The variables of examples and of app.json, the first that names one wins. */
export function shownVariables(repository: Repository, folders: readonly string[]): readonly Variable[] {
  const inFolder = (test: (path: string) => boolean) =>
    folders.flatMap((folder) =>
      repository.files.filter((path) => test(path) && (dirname(path) === '.' ? '' : dirname(path)) === folder),
    )
  const examples = inFolder(isEnvExample).sort(
    (a, b) => Number(/test|dev|local/.test(a)) - Number(/test|dev|local/.test(b)),
  )
  return [
    ...examples.flatMap((path) => envExample(repository.text(path) ?? '', path)),
    ...inFolder((path) => basename(path) === 'app.json').flatMap((path) => appJson(repository.text(path) ?? '', path)),
  ]
}

/** The names in real `.env` files beside the source. */
export function keptVariables(repository: Repository, folder: string): readonly Variable[] {
  const path = folder === '' ? '.env' : `${folder}/.env`
  return repository.variableNames(path).map((name) => ({ name, value: undefined, from: path }))
}

export function projectIn(repository: Repository, folder: string): Project {
  const prefix = folder === '' ? '' : `${folder}/`
  const files = repository.files.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length))
  const read = <T>(name: string, parse: (text: string, file: string) => T): T | undefined => {
    const text = repository.text(prefix + name)
    return text === undefined ? undefined : parse(text, prefix + name)
  }
  const python = ['pyproject.toml', 'requirements.txt', 'Pipfile'].flatMap(
    (name) => read(name, name === 'requirements.txt' ? requirements : pyproject) ?? [],
  )
  return {
    files,
    node: read('package.json', nodeProject),
    python: python.length === 0 ? undefined : joined(python),
    go: read('go.mod', goMod),
    processes: wanted(
      read('Procfile', procfile) ?? read('fly.toml', flyProcesses),
      read('app.json', unwantedProcesses),
    ),
    runLines: ['Makefile', 'makefile', 'Justfile', 'justfile', 'Taskfile.yml'].flatMap(
      (name) => read(name, runLines) ?? [],
    ),
    code: codeOf(repository, prefix, files),
  }
}

/** The processes, but for those of which none is to run. */
function wanted(all: Project['processes'] = new Map(), unwanted: readonly string[] = []): Project['processes'] {
  return new Map([...all].filter(([name]) => !unwanted.includes(name)))
}

function codeOf(repository: Repository, prefix: string, files: readonly string[]): CodeFacts {
  const isCode = (path: string) =>
    /\.(py|go|[cm]?[jt]s)$/.test(path) &&
    !/(^|\/)(tests?|spec|docs|dist|build|examples?|versions)\//.test(path) &&
    !/\.(test|spec)\.|_test\./.test(path)
  let budget = maxCodeBytes
  const textOf = (path: string) => {
    const text = (budget > 0 ? repository.text(prefix + path) : undefined) ?? ''
    budget -= text.length
    return text
  }
  const all = files
    .filter(isCode)
    .slice(0, maxCodeFiles)
    .map((path) => codeFacts(textOf(path), prefix + path))
  return {
    variables: all.flatMap(({ variables }) => variables),
    polls: all.flatMap(({ polls }) => polls),
    setsWebhook: all.flatMap(({ setsWebhook }) => setsWebhook),
    takesWebhook: all.flatMap(({ takesWebhook }) => takesWebhook),
    migratesItself: all.flatMap(({ migratesItself }) => migratesItself),
    sqliteFiles: all.flatMap(({ sqliteFiles }) => sqliteFiles),
    programs: all.flatMap(({ programs }) => programs),
    ports: all.flatMap(({ ports }) => ports),
    localServers: all.flatMap(({ localServers }) => localServers),
  }
}

function over(base: ComposeService | undefined, more: ComposeService): ComposeService {
  if (base === undefined) return more
  const names = new Set(more.environment.map(({ name }) => name))
  return {
    ...base,
    ...Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined && !isEmpty(value))),
    environment: [...base.environment.filter(({ name }) => !names.has(name)), ...more.environment],
    volumes: [...base.volumes, ...more.volumes],
  }
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}
