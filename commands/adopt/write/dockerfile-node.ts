import type { Found } from '../read/finding.ts'
import type { NodeProject } from '../read/package-json.ts'
import type { Project } from '../read/survey.ts'
import { type Recipe, startLine } from './dockerfile.ts'

const newest = 26

export function nodeDockerfile({ node, files }: Project, start: Found<string> | undefined): Recipe {
  const image = `node:${majorOf(node?.node)}-slim`
  const tool = toolOf(node, files)
  const build = node?.scripts.has('build') === true && buildsFirst(node, start)
  const developed = startsWith(node, start)
  const { text, notes } = startLine(withoutRunner(start), ['node', 'index.js'])
  // What compiles is installed for developers only, and so is often what runs TypeScript.
  const install = build || developed ? tool.all : tool.production
  return {
    text: `FROM ${image} AS packages
WORKDIR /app
${tool.prepare}COPY package.json ${tool.lockfiles.map((file) => `${file} `).join('')}./
${files.some((file) => file.startsWith('prisma/')) ? 'COPY prisma ./prisma\n' : ''}RUN ${install}
${build ? `COPY . .\nRUN ${tool.run} build\n` : ''}
FROM ${image}
WORKDIR /app
ENV NODE_ENV=production PATH=/app/node_modules/.bin:$PATH
${build ? 'COPY --from=packages /app ./' : 'COPY --from=packages /app/node_modules ./node_modules\nCOPY . .'}
USER node
${text}`,
    notes: [
      ...notes,
      ...(tool.lockfiles.length === 0 ? ['package.json has no lockfile beside it: each build may install other versions. Run "npm install" there and keep package-lock.json'] : []),
      ...(node?.workspaces ? ['package.json has workspaces: the Dockerfile installs from the root alone; copy the package.json of each part before "RUN" if it needs them'] : []),
    ],
  }
}

/** The oldest of the versions that it takes, or the newest there is. */
function majorOf(engines: string | undefined): number {
  const found = /^\s*(?:[\^~=v]|==)?\s*v?(\d{2})(?:\.|$|\s|\.x)/.exec(engines ?? '')?.[1]
  return found === undefined ? newest : Number(found)
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
    const pnpm = { lockfiles: has('pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc'), prepare: `RUN npm install --global pnpm@${version ?? 10}\n` }
    return { ...pnpm, production: 'pnpm install --frozen-lockfile --prod', all: 'pnpm install --frozen-lockfile', run: 'pnpm run' }
  }
  if (files.includes('yarn.lock')) {
    const isNew = files.includes('.yarnrc.yml') || /^[2-9]/.test(version ?? '')
    const lockfiles = has('yarn.lock', '.yarnrc.yml')
    if (isNew)
      return { lockfiles, prepare: 'RUN npm install --global corepack && corepack enable\n', production: 'yarn install --immutable', all: 'yarn install --immutable', run: 'yarn run' }
    const prepare = 'RUN npm install --global --force yarn@1.22.22\n'
    return { lockfiles, prepare, production: 'yarn install --frozen-lockfile --production', all: 'yarn install --frozen-lockfile', run: 'yarn run' }
  }
  const locked = has('package-lock.json', 'npm-shrinkwrap.json', '.npmrc')
  const verb = files.includes('package-lock.json') || files.includes('npm-shrinkwrap.json') ? 'ci' : 'install'
  // Scripts of the project itself, as husky's, need git and what is not copied yet.
  return { lockfiles: locked, prepare: '', production: `npm ${verb} --omit=dev --no-audit --no-fund`, all: `npm ${verb} --no-audit --no-fund`, run: 'npm run' }
}

/** Whether what is started is what the build makes. */
function buildsFirst(node: NodeProject, start: Found<string> | undefined): boolean {
  const script = node.scripts.get('build')?.value ?? ''
  return !/--noEmit(?! false)/.test(script) && !/\b(tsx|ts-node)\b|\.ts\b/.test(start?.value ?? '')
}

function startsWith(node: NodeProject | undefined, start: Found<string> | undefined): boolean {
  const [program] = (start?.value ?? '').replace(/^([A-Z_]+=\S+\s+)+/, '').split(/\s/)
  return ['tsx', 'ts-node', 'ts-node-dev', 'nodemon'].some((name) => name === program && node?.developmentOnly.has(name))
}

/** Variables before a program are the container's to set, and NODE_ENV is. */
function withoutRunner(start: Found<string> | undefined): Found<string> | undefined {
  return start === undefined ? undefined : { ...start, value: start.value.replace(/^NODE_ENV=production\s+/, '') }
}
