import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import { numbered } from './finding.ts'

/** A folder that somebody else has filled. Nothing of it is run, no link is followed, and of a real `.env` only names are told. */
export interface Repository {
  readonly folder: string
  /** Its regular files, by their paths from the folder, sorted. */
  readonly files: readonly string[]
  /** The text of one of its files; undefined where there is no such file, it is too large, or no text. */
  text(path: string): string | undefined
  /** The names of the variables in a real `.env`. */
  variableNames(path: string): readonly string[]
}

const maxFiles = 20_000
const maxDepth = 8
/** Bytes of a file: none that a person has written is larger. */
const maxBytes = 512 * 1024

/** Folders of what was installed, built or kept by other programs. */
const foreign = /^(\.git|node_modules|\.?venv|env|__pycache__|vendor|target|\.tox|\.mypy_cache|\.idea|\.vscode)$/

export function openRepository(folder: string): Repository {
  const root = realpathSync(folder)
  const files: string[] = []
  walk(root, '', 0, files)
  const known = new Set(files)
  return {
    folder: root,
    files: files.sort(),
    text: (path) => (known.has(path) && !isRealEnv(path) ? shortened(readText(join(root, path)), path) : undefined),
    variableNames: (path) => (known.has(path) ? namesIn(readText(join(root, path)) ?? '') : []),
  }
}

/** An example shows which variables there are; its values are nobody's. */
export function isEnvExample(path: string): boolean {
  const name = basename(path).toLowerCase()
  return /(^|[._-])env([._-]|$)/.test(name) && /example|sample|dist|template|tmpl|default/.test(name) && !isCode(name)
}

export function isRealEnv(path: string): boolean {
  const name = basename(path).toLowerCase()
  return /^\.env($|[._-])|^[\w-]*\.env$/.test(name) && !isEnvExample(path)
}

function isCode(name: string): boolean {
  return /\.(py|[cm]?[jt]sx?|go|md)$/.test(name)
}

function walk(root: string, below: string, depth: number, files: string[]): void {
  if (depth > maxDepth) return
  for (const entry of readdirSync(join(root, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (files.length >= maxFiles) return
    // A link is neither.
    if (entry.isFile()) files.push(path)
    else if (entry.isDirectory() && !foreign.test(entry.name)) walk(root, path, depth + 1, files)
  }
}

/** Without lines that no person has written, but for files that are one line by custom. */
function shortened(text: string | undefined, path: string): string | undefined {
  return text === undefined || /\.(json|ya?ml)$/.test(path)
    ? text
    : numbered(text)
        .map(([line]) => line)
        .join('\n')
}

function readText(path: string): string | undefined {
  let file: number | undefined
  try {
    // Between the listing and now it may have become a link, or a pipe that waits for ever.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const stat = fstatSync(file)
    return stat.isFile() && stat.size <= maxBytes ? decoded(readFileSync(file)) : undefined
  } catch {
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** UTF-8, or UTF-16 as PowerShell writes `pip freeze > requirements.txt`. */
function decoded(bytes: Buffer): string | undefined {
  const wide = bytes[0] === 0xff && bytes[1] === 0xfe
  try {
    const text = new TextDecoder(wide ? 'utf-16le' : 'utf-8', { fatal: true }).decode(bytes)
    return text.includes('\0') ? undefined : text
  } catch {
    return undefined
  }
}

function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=/gm)].map(([, name = '']) => name)
}
