import { dirname } from 'node:path/posix'
import { commandOf, textOf } from '../read/command-line.ts'
import type { DockerImage } from '../read/dockerfile.ts'
import type { Found, Note } from '../read/finding.ts'
import type { Repository } from '../read/repository.ts'
import type { Project } from '../read/survey.ts'
import type { Build } from './build.ts'
import type { Entry } from './entry.ts'
import { dockerfileOf, type Services } from './services.ts'
import { hasPackage } from './start.ts'

/** The command that brings the database up to date, and the folder of its steps. */
export function migrationsOf(
  repository: Repository,
  project: Project,
  { migrations, bot }: Services,
  build: Build,
): { entries: Entry[]; notes: Note[] } {
  const [service, ...more] = migrations
  const notes = more.map(
    (each) =>
      `${each.from}: a second service that runs once, "${each.name}": "migrate:" is one command; join them in a script of the image`,
  )
  const itself =
    startsWithMigration(repository, build.image, textOf(bot?.command?.value)) ?? project.code.migratesItself[0]
  if (itself !== undefined)
    return {
      entries: [],
      notes: [`${itself}: the bot migrates its database itself when it starts, so there is no "migrate:"`],
    }
  if (service !== undefined) {
    const said = [service.entrypoint, service.command].flatMap((each) =>
      each === undefined ? [] : commandOf(each.value),
    )
    const isOther = service.build !== undefined && dockerfileOf(service)?.path !== (bot && dockerfileOf(bot)?.path)
    if (isOther || said.length === 0)
      return {
        entries: [],
        notes: [
          ...notes,
          `${service.from}: "${service.name}" has an image or a start of its own, and "migrate:" runs in the image of the bot: have that image bring what is needed, and set "migrate:"`,
        ],
      }
    return {
      entries: [...entry(said, service.from, build.image), ...folderOf(repository, project, build)],
      notes: [...notes, ...entrypointNote(build.image)],
    }
  }
  const tool = toolOf(project, build.image)
  if (tool === undefined) return { entries: [], notes }
  return {
    entries: [...entry(tool.value, tool.from, build.image), ...folderOf(repository, project, build)],
    notes: [...notes, ...entrypointNote(build.image)],
  }
}

function entry(value: readonly string[], why: string, image: DockerImage | undefined): Entry[] {
  return [{ key: 'migrate', value, why, ...(hasProgram(image) && { optional: true as const }) }]
}

/** An ENTRYPOINT that is a program takes the command as its arguments. */
function hasProgram(image: DockerImage | undefined): boolean {
  const entrypoint = textOf(image?.entrypoint?.value)
  return entrypoint !== '' && !/\.sh\b|tini|dumb-init|^(poetry|uv) run$/.test(entrypoint)
}

function entrypointNote(image: DockerImage | undefined): Note[] {
  if (!hasProgram(image)) return []
  return [
    `${image?.entrypoint?.from}: "migrate:" would be an argument of this ENTRYPOINT: make it a CMD, then take the # from "migrate:"`,
  ]
}

/** Alembic and the like, by their configuration. */
function toolOf(project: Project, image: DockerImage | undefined): Found<readonly string[]> | undefined {
  const { files, node } = project
  const [runner = ''] = /^(poetry|uv|pipenv) run /.exec(textOf(image?.command?.value)) ?? []
  const has = (test: RegExp) => files.find((file) => test.test(file))
  const alembic = has(/^alembic\.ini$/)
  if (alembic !== undefined && hasPackage(project, 'alembic'))
    return { value: commandOf(`${runner}alembic upgrade head`), from: alembic }
  const prisma = has(/^prisma\/migrations\/.*\.sql$/)
  if (prisma !== undefined) return { value: ['npx', 'prisma', 'migrate', 'deploy'], from: dirname(dirname(prisma)) }
  for (const name of [
    'migrate:deploy',
    'migrate:prod',
    'db:migrate',
    'migrate',
    'migration:run',
    'migrations:run',
    'migrate:latest',
  ]) {
    const script = node?.scripts.get(name)
    if (script !== undefined && !/\bdev\b/.test(script.value)) return { value: ['npm', 'run', name], from: script.from }
  }
  const knex = has(/^knexfile\.[cm]?[jt]s$/)
  if (knex !== undefined) return { value: ['npx', 'knex', 'migrate:latest'], from: knex }
  const drizzle = has(/^drizzle\.config\.[cm]?[jt]s$/)
  return drizzle === undefined ? undefined : { value: ['npx', 'drizzle-kit', 'migrate'], from: drizzle }
}

function folderOf(repository: Repository, { files }: Project, { folder }: Build): Entry[] {
  const prefix = folder === '' ? '' : `${folder}/`
  const ini = repository.text(`${prefix}alembic.ini`) ?? ''
  const [, location] = /^script_location\s*=\s*(?:%\(here\)s\/)?([\w./-]+)\s*$/m.exec(ini) ?? []
  const folders = [
    location?.replace(/^\.\//, ''),
    'prisma/migrations',
    'drizzle',
    'db/migrations',
    'src/migrations',
    'alembic',
  ]
  const found = folders.find((path) => path !== undefined && files.some((file) => file.startsWith(`${path}/`)))
  if (
    found === undefined ||
    found === 'migrations' ||
    files.some((file) => file.startsWith('migrations/') && location === undefined)
  )
    return []
  return [
    { key: 'migrations', value: found, why: location === undefined ? `${found} is there` : `${prefix}alembic.ini` },
  ]
}

/** Where the start of the image or its script has a migration in it. */
function startsWithMigration(
  repository: Repository,
  image: DockerImage | undefined,
  command: string,
): string | undefined {
  const tool =
    /alembic\s+(-\S+\s+\S+\s+)*upgrade|prisma migrate deploy|knex migrate|drizzle-kit (migrate|push)|typeorm migration:run|prisma db push/
  if (tool.test(command)) return 'the command of the compose file'
  for (const each of [image?.entrypoint, image?.command]) {
    if (each === undefined) continue
    if (tool.test(textOf(each.value))) return each.from
    const [script] = /[\w./-]+\.sh\b/.exec(textOf(each.value)) ?? []
    const name = script?.slice(script.lastIndexOf('/') + 1)
    const path = repository.files.find((file) => name !== undefined && (file === name || file.endsWith(`/${name}`)))
    if (path !== undefined && tool.test(repository.text(path) ?? '')) return path
  }
  return undefined
}
