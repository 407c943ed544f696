import type { Found } from '../read/finding.ts'
import type { NodeProject } from '../read/package-json.ts'
import type { Project } from '../read/survey.ts'
import { type Recipe, startLine } from './start-line.ts'

/** hello-bot's: bots of one image share its pages in memory. */
const usual = '26.10'

export function nodeDockerfile({ node, files }: Project, start: Found<string> | undefined): Recipe {
  const image = `node:${versionOf(node?.node)}-slim`
  const tool = toolOf(node, files)
  const build = buildOf(node, files, start, tool.run)
  const developed = startsWith(node, start)
  const { text, notes } = startLine(withoutRunner(start), ['node', 'index.js'])
  // What compiles is installed for developers only, and so is often what runs TypeScript.
  const install = build !== undefined || developed ? tool.all : tool.production
  return {
    text: `FROM ${image} AS packages
WORKDIR /app
${tool.prepare}COPY package.json ${tool.lockfiles.map((file) => `${file} `).join('')}./
${files.some((file) => file.startsWith('prisma/')) ? 'COPY prisma ./prisma\n' : ''}RUN ${install}
${build === undefined ? '' : `COPY . .\nRUN ${build}\n`}
FROM ${image}
WORKDIR /app
ENV NODE_ENV=production PATH=/app/node_modules/.bin:$PATH
${build === undefined ? 'COPY --from=packages /app/node_modules ./node_modules\nCOPY . .' : 'COPY --from=packages /app ./'}
USER node
${text}`,
    notes: [
      ...notes,
      ...(tool.lockfiles.length === 0
        ? [
            'package.json has no lockfile beside it: each build may install other versions. Run "npm install" there and keep package-lock.json',
          ]
        : []),
      ...(node?.workspaces
        ? [
            'package.json has workspaces: the Dockerfile installs from the root alone; copy the package.json of each part before "RUN" if it needs them',
          ]
        : []),
    ],
  }
}

/** The major version that is asked for; of `>=20` the usual one. */
function versionOf(engines: string | undefined): string {
  const found = /^\s*(?:[\^~=v]|==)?\s*v?(\d{2})(?:\.|$|\s|\.x)/.exec(engines ?? '')?.[1]
  return found === undefined || usual.startsWith(found) ? usual : found
}

interface Tool {
  readonly lockfiles: readonly string[]
  /** Lines before anything is installed. */
  readonly prepare: string
  readonly production: string
  readonly all: string
  readonly run: string
}

function toolOf(node: NodeProject | undefined, files: readonly string[]): Tool {
  const has = (...names: string[]) => names.filter((name) => files.includes(name))
  const version = /@(\d[\w.-]*)/.exec(node?.packageManager ?? '')?.[1]
  if (files.includes('pnpm-lock.yaml')) {
    const pnpm = {
      lockfiles: has('pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc'),
      prepare: `RUN npm install --global pnpm@${version ?? 10}\n`,
    }
    return {
      ...pnpm,
      production: 'pnpm install --frozen-lockfile --prod',
      all: 'pnpm install --frozen-lockfile',
      run: 'pnpm run',
    }
  }
  if (files.includes('yarn.lock')) {
    const isNew = files.includes('.yarnrc.yml') || /^[2-9]/.test(version ?? '')
    const lockfiles = has('yarn.lock', '.yarnrc.yml')
    if (isNew)
      return {
        lockfiles,
        prepare: 'RUN npm install --global corepack && corepack enable\n',
        production: 'yarn install --immutable',
        all: 'yarn install --immutable',
        run: 'yarn run',
      }
    const prepare = 'RUN npm install --global --force yarn@1.22.22\n'
    return {
      lockfiles,
      prepare,
      production: 'yarn install --frozen-lockfile --production',
      all: 'yarn install --frozen-lockfile',
      run: 'yarn run',
    }
  }
  const locked = has('package-lock.json', 'npm-shrinkwrap.json', '.npmrc')
  const verb = files.includes('package-lock.json') || files.includes('npm-shrinkwrap.json') ? 'ci' : 'install'
  // Scripts of the project itself, as husky's, need git and what is not copied yet.
  return {
    lockfiles: locked,
    prepare: '',
    production: `npm ${verb} --omit=dev --no-audit --no-fund`,
    all: `npm ${verb} --no-audit --no-fund`,
    run: 'npm run',
  }
}

/** The command that makes what is started; undefined where that is in the source. */
function buildOf(
  node: NodeProject | undefined,
  files: readonly string[],
  start: Found<string> | undefined,
  run: string,
): string | undefined {
  const program = /[\w./-]+\.[cm]?js\b/.exec(start?.value ?? '')?.[0]?.replace(/^\.\//, '')
  if (program === undefined ? /\b(tsx|ts-node)\b|\.ts\b/.test(start?.value ?? '') : files.includes(program))
    return undefined
  const names = [...(node?.scripts.keys() ?? [])]
  const script =
    ['build', 'build:prod', 'compile', 'tsc'].find((name) => names.includes(name)) ??
    names.find((name) => /^build/.test(name))
  if (script !== undefined) return `${run} ${script}`
  return files.includes('tsconfig.json') && program !== undefined ? 'npx tsc' : undefined
}

function startsWith(node: NodeProject | undefined, start: Found<string> | undefined): boolean {
  const [program] = (start?.value ?? '').replace(/^([A-Z_]+=\S+\s+)+/, '').split(/\s/)
  return ['tsx', 'ts-node', 'ts-node-dev', 'nodemon'].some(
    (name) => name === program && node?.developmentOnly.has(name),
  )
}

/** Variables before a program are the container's to set, and NODE_ENV is. */
function withoutRunner(start: Found<string> | undefined): Found<string> | undefined {
  return start === undefined ? undefined : { ...start, value: start.value.replace(/^NODE_ENV=production\s+/, '') }
}
