import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HostError } from '../../lib/std/errors.ts'
import { here, logged } from '../machine/docker-cli.ts'
import { type Piece, texts } from './build.ts'

const npmVersion = '11.21.2'

/** Debian's Node is another version: the program is this checkout's own dependency, and npm comes from its registry. */
export async function nodePieces(): Promise<Piece[]> {
  return [nodeProgram(), npmPackage, texts({ 'node/npmrc': await npmSettings() })]
}

function nodeProgram(): Piece {
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

const npmPackage: Piece = {
  definition: `npm ${npmVersion}`,
  put: async (context) => {
    mkdirSync(join(context, 'node'), { recursive: true })
    const pack = ['npm', 'pack', `npm@${npmVersion}`, '--pack-destination', join(context, 'node')]
    await logged('npm-pack', 300, pack)
  },
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
