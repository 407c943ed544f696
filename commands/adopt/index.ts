import { existsSync, lstatSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { HostError, UsageError } from '../../lib/std/errors.ts'
import { clone, isAddress } from './clone.ts'
import { botIn } from './decide/bot.ts'
import { openRepository } from './read/repository.ts'
import { dockerfileFor, dockerignore } from './write/dockerfile.ts'
import { manifestOf } from './write/manifest.ts'
import { reportOf } from './write/report.ts'

/**
 * Makes a bot of a repository: writes its bot.yaml, and a Dockerfile and .dockerignore where it has none, into the folder itself; an
 * address is cloned into bots/NAME first. Returns what is to be said. Runs nothing of it, and overwrites nothing.
 */
export async function adopt(place: string, name: string): Promise<string> {
  if (!isAddress(place)) return adoptFolder(place, name, false)
  const folder = join('bots', name)
  const draft = join('bots', `.${name}.new`)
  rmSync(draft, { recursive: true, force: true })
  await clone(place, draft)
  try {
    const report = adoptFolder(draft, name, true)
    renameSync(draft, folder)
    return report
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    throw error
  }
}

function adoptFolder(folder: string, name: string, cloned: boolean): string {
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new UsageError(`--adopt: no repository at ${folder}: ${existsSync(folder) ? 'no folder' : 'no such folder'}`)
  const repository = openRepository(folder)
  refuseBot(repository.folder, folder)
  const bot = botIn(repository, name)
  const source = join(repository.folder, bot.build.folder)
  refuseBot(source, join(folder, bot.build.folder))
  const manifest = manifestOf(bot)
  const needs = bot.build.dockerfile === undefined
  const isTaken = needs && isThere(source, 'Dockerfile')
  const recipe = needs && !isTaken ? dockerfileFor(bot.project, bot.start) : undefined
  const files = new Map([
    ...(recipe === undefined ? [] : [['Dockerfile', recipe.text] as const]),
    ...(recipe === undefined || isThere(source, '.dockerignore') ? [] : [['.dockerignore', dockerignore] as const]),
    // It is what makes a bot of the folder, so it comes last.
    ['bot.yaml', manifest.text] as const,
  ])
  write(source, files)
  return reportOf({
    ...{ bot: name, written: [...files.keys()], secrets: manifest.secrets, domains: bot.domains, cloned },
    source: cloned ? join('bots', name, bot.build.folder) : fromHere(source),
    hasEnv: existsSync(join(source, '.env')),
    notes: [
      ...manifest.notes,
      ...bot.notes,
      ...(recipe?.notes ?? []),
      ...withoutImage(needs && recipe === undefined, isTaken),
    ],
  })
}

/** A folder with a bot.yaml is a bot already. */
function refuseBot(folder: string, shown: string): void {
  if (isThere(folder, 'bot.yaml'))
    throw new UsageError(
      `--adopt: ${join(shown, 'bot.yaml')} is there already, so it is a bot: name the folder by "source:" in the inventory, or copy it by --from`,
    )
}

function withoutImage(isMissing: boolean, isTaken: boolean): string[] {
  if (isTaken) return ['Dockerfile is a link or no text: it was neither read nor replaced']
  return isMissing
    ? ['there is no Dockerfile, and none is made for this language: write one, as docs/bots.md shows']
    : []
}

/** Links count, also those that lead nowhere: writing would follow them. */
function isThere(folder: string, name: string): boolean {
  return lstatSync(join(folder, name), { throwIfNoEntry: false }) !== undefined
}

function write(folder: string, files: ReadonlyMap<string, string>): void {
  const done: string[] = []
  try {
    for (const [name, text] of files) {
      writeFileSync(join(folder, name), text, { flag: 'wx' })
      done.push(name)
    }
  } catch (error) {
    for (const name of done) rmSync(join(folder, name))
    throw new HostError(`this machine: cannot write into ${folder}: ${(error as Error).message}`)
  }
}

function fromHere(folder: string): string {
  return relative(process.cwd(), folder) || '.'
}
