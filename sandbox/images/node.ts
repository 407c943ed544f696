import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { HostError } from '../../lib/std/errors.ts'
import { here, logged } from '../machine/docker-cli.ts'
import { type Piece, texts } from './build.ts'

/** A version of Node that this checkout does not run on, and the npm that comes with it. */
export interface OtherNode {
  readonly version: string
  readonly npm: string
}

/** Debian's Node is another version: the program is this checkout's own dependency, or like npm it comes from npm's registry. */
export async function nodePieces(other?: OtherNode): Promise<Piece[]> {
  const program = other === undefined ? ownProgram() : packedProgram(other.version)
  return [program, npmPackage(other?.npm ?? '11.21.2'), texts({ 'node/npmrc': await npmSettings() })]
}

function ownProgram(): Piece {
  const found = join(import.meta.dirname, '../../node_modules/node')
  if (!existsSync(found)) {
    throw new HostError('this machine: the package `node` is not installed in this checkout; run: npm ci')
  }
  const { version } = JSON.parse(readFileSync(join(found, 'package.json'), 'utf8'))
  return {
    definition: `node ${version} ${process.arch}`,
    put: (context) => {
      mkdirSync(join(context, 'node'), { recursive: true })
      copyFileSync(join(found, 'bin', 'node'), join(context, 'node', 'node'))
    },
  }
}

/** The program of a version, out of the package that npm has of it for this machine's processor. */
function packedProgram(version: string): Piece {
  const name = `node-linux-${process.arch}`
  return {
    definition: `${name} ${version}`,
    put: async (context) => {
      const folder = join(context, 'node')
      mkdirSync(folder, { recursive: true })
      await pack(`${name}@${version}`, folder)
      const archive = join(folder, `${name}-${version}.tgz`)
      await logged('node-unpack', 60, [
        'tar',
        '-xzf',
        archive,
        '-C',
        folder,
        '--strip-components=2',
        'package/bin/node',
      ])
      rmSync(archive)
    },
  }
}

function npmPackage(version: string): Piece {
  return {
    definition: `npm ${version}`,
    put: async (context) => {
      mkdirSync(join(context, 'node'), { recursive: true })
      await pack(`npm@${version}`, join(context, 'node'))
    },
  }
}

function pack(name: string, folder: string): Promise<void> {
  return logged(`npm-pack-${name}`, 300, ['npm', 'pack', name, '--pack-destination', folder])
}

let settings: Promise<string> | undefined

/** How this machine's npm reaches its registry. Which authorities that takes is in the image's own bundle. */
function npmSettings(): Promise<string> {
  settings ??= (async () => {
    const { exitCode, stdout, stderr } = await here`npm config list --json`
    if (exitCode !== 0) throw new HostError(`this machine: npm does not tell its settings: ${stderr.trim()}`)
    const all: Record<string, unknown> = JSON.parse(stdout)
    const lines = ['registry', 'proxy', 'https-proxy'].flatMap((key) => (all[key] ? [`${key}=${all[key]}\n`] : []))
    return [...lines, 'cafile=/etc/ssl/certs/ca-certificates.crt\n'].join('')
  })()
  return settings
}
