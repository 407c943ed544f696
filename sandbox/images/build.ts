import { cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { here, logged } from '../machine/docker-cli.ts'
import { hashOf } from '../machine/paths.ts'
import { isAlive, markOf } from '../machine/process.ts'

/** A piece of a build context: what it is, as text for the hash of an image's definition, and how it gets there. */
export interface Piece {
  readonly definition: string
  readonly put: (context: string) => Promise<void> | void
}

/** Files by their path in the context. */
export function texts(files: Readonly<Record<string, string>>): Piece {
  return {
    definition: JSON.stringify(files),
    put: (context) => {
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(context, path)), { recursive: true })
        writeFileSync(join(context, path), content)
      }
    },
  }
}

/** A folder as it is, under a name of its own. */
export function folder(source: string, name: string): Piece {
  const files = globSync('**', { cwd: source, withFileTypes: true }).filter((entry) => entry.isFile())
  const contents = files
    .map((file) => join(file.parentPath, file.name))
    .map((path) => [path, readFileSync(path)] as const)
  return {
    definition: hashOf(...contents.sort().flatMap(([path, content]) => [path.slice(source.length), content])),
    put: (context) => cpSync(source, join(context, name), { recursive: true }),
  }
}

/** Builds an image from its Dockerfile, on top of another. */
export async function build(
  name: string,
  tag: string,
  from: string,
  dockerfile: string,
  pieces: readonly Piece[],
): Promise<void> {
  await inScratch(async (context) => {
    for (const piece of pieces) await piece.put(context)
    // --force-rm: a build that is cut leaves no container behind.
    const options = ['--force-rm', '--build-arg', `FROM=${from}`, '-f', dockerfile, '-t', tag]
    await logged(`build-${name}`, 900, ['docker', 'build', ...options, context])
  })
}

/** A folder for one step, and the end of those that killed runs left behind. */
export async function inScratch(run: (folder: string) => Promise<void>): Promise<void> {
  const prefix = 'botgarden-build.'
  for (const name of readdirSync(tmpdir()).filter((each) => each.startsWith(prefix))) {
    const left = join(tmpdir(), name)
    const own = statSync(left).uid === process.getuid?.()
    if (own && !isAlive(name.split('.')[1] ?? '')) await removeTree(left)
  }
  const folder = mkdtempSync(join(tmpdir(), `${prefix}${markOf(process.pid)}.`))
  try {
    await run(folder)
  } finally {
    await removeTree(folder)
  }
}

/** Half a Debian may still have the machine's devices mounted in it: never past a mount. */
async function removeTree(folder: string): Promise<void> {
  await here`rm -rf --one-file-system ${folder}`
}
