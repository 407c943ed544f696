import { at, type Found, numbered } from './finding.ts'
import { jsonIn } from './untyped.ts'

/** What the last stage of a Dockerfile says, or the stage `target`. */
export interface DockerImage {
  readonly file: string
  readonly stages: readonly string[]
  readonly workdir: string
  readonly command: Found<string | readonly string[]> | undefined
  readonly entrypoint: Found<string | readonly string[]> | undefined
  readonly ports: readonly Found<number>[]
  readonly volumes: readonly Found<string>[]
  readonly healthcheck: Found<string> | undefined
  readonly copies: readonly Copy[]
  /** The whole text, for what is only to be found. */
  readonly text: string
}

/** A COPY of one source: from the repository, or from another stage. */
export interface Copy {
  readonly stage: string | undefined
  readonly source: string
  /** An absolute path; one that ends with a slash is a folder that the source comes into. */
  readonly target: string
  readonly from: string
}

interface Instruction {
  readonly name: string
  readonly rest: string
  readonly from: string
}

export function dockerImage(text: string, file: string, target?: string): DockerImage {
  const all = instructions(text, file)
  const stages = all.filter(({ name }) => name === 'FROM').map(({ rest }) => /\sAS\s+(\S+)/i.exec(rest)?.[1] ?? '')
  const said = inheritedBy(all, target)
  const last = (name: string) => said.findLast((each) => each.name === name)
  const workdir = said
    .filter(({ name }) => name === 'WORKDIR')
    .reduce((folder, { rest }) => inFolder(folder, rest.replaceAll('"', '')), '/')
  return {
    ...{ file, text, stages: stages.filter(Boolean), workdir },
    command: commandIn(last('CMD')),
    entrypoint: commandIn(last('ENTRYPOINT')),
    ports: said.filter(({ name }) => name === 'EXPOSE').flatMap(portsIn),
    volumes: said.filter(({ name }) => name === 'VOLUME').flatMap(volumesIn),
    healthcheck: healthIn(last('HEALTHCHECK')),
    copies: copiesIn(said),
  }
}

/** A path of a container, from its working folder. */
export function inFolder(folder: string, path: string): string {
  const parts = path.startsWith('/') ? path.split('/') : [...folder.split('/'), ...path.split('/')]
  const kept: string[] = []
  for (const part of parts) {
    if (part === '..') kept.pop()
    else if (part !== '' && part !== '.') kept.push(part)
  }
  return `/${kept.join('/')}`
}

function instructions(text: string, file: string): readonly Instruction[] {
  const found: Instruction[] = []
  let open: { readonly pieces: string[]; readonly line: number } | undefined
  for (const [line, number] of numbered(text)) {
    // A comment may stand between continued lines.
    if (/^\s*#/.test(line)) continue
    open ??= { pieces: [], line: number }
    open.pieces.push(line.replace(/\\\s*$/, ' '))
    if (/\\\s*$/.test(line)) continue
    const [, name, rest = ''] = /^\s*([A-Za-z]+)\s+(.*)$/s.exec(open.pieces.join('')) ?? []
    if (name !== undefined) found.push({ name: name.toUpperCase(), rest: rest.trim(), from: at(file, open.line) })
    open = undefined
  }
  return found
}

/** The instructions of a stage, after those of the stages that it is made from. */
function inheritedBy(all: readonly Instruction[], target: string | undefined): readonly Instruction[] {
  const stages: { name: string; base: string; said: Instruction[] }[] = []
  for (const each of all) {
    const [, base = '', name = ''] = /^(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i.exec(each.rest) ?? []
    if (each.name === 'FROM') stages.push({ name, base, said: [] })
    else stages.at(-1)?.said.push(each)
  }
  const chain: Instruction[][] = []
  let stage = stages.find(({ name }) => name !== '' && name === target) ?? stages.at(-1)
  for (let i = stages.length; stage !== undefined && i > 0; i--) {
    const { base, said }: { base: string; said: Instruction[] } = stage
    chain.unshift(said)
    stage = stages.find(({ name }) => name !== '' && name === base)
  }
  return chain.flat()
}

function commandIn(found: Instruction | undefined): Found<string | readonly string[]> | undefined {
  if (found === undefined) return undefined
  const value = found.rest.startsWith('[') ? listIn(found.rest) : found.rest
  return value === undefined || value.length === 0 ? undefined : { value, from: found.from }
}

function listIn(text: string): readonly string[] | undefined {
  const list = jsonIn(text)
  return Array.isArray(list) ? list.map(String) : undefined
}

function copiesIn(said: readonly Instruction[]): Copy[] {
  let folder = '/'
  return said.flatMap(({ name, rest, from }) => {
    if (name === 'WORKDIR') folder = inFolder(folder, rest.replaceAll('"', ''))
    if (name !== 'COPY' && name !== 'ADD') return []
    const flags = /^(?:--\S+\s+)*/.exec(rest)?.[0] ?? ''
    const said = rest.slice(flags.length)
    const words = said.startsWith('[') ? (listIn(said) ?? []) : said.split(/\s+/)
    const target = inFolder(folder, words.at(-1) ?? '')
    const isFolder = words.length > 2 || /(^|\/)\.?$/.test(words.at(-1) ?? '')
    return words.slice(0, -1).map((source) => ({
      ...{ stage: /--from=(\S+)/.exec(flags)?.[1], source, from },
      target: isFolder && target !== '/' ? `${target}/` : target,
    }))
  })
}

function portsIn({ rest, from }: Instruction): Found<number>[] {
  return [...rest.matchAll(/(?<![\w$])(\d{1,5})(?:\/tcp)?(?=\s|$)/g)].map(([, port]) => ({ value: Number(port), from }))
}

function volumesIn({ rest, from }: Instruction): Found<string>[] {
  const paths = rest.startsWith('[') ? (listIn(rest) ?? []) : rest.split(/\s+/)
  return paths.filter((path) => path.startsWith('/')).map((value) => ({ value, from }))
}

function healthIn(found: Instruction | undefined): Found<string> | undefined {
  return found === undefined || /^NONE\b/i.test(found.rest) ? undefined : { value: found.rest, from: found.from }
}
