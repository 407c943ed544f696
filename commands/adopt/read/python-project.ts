import { at, type Found, numbered } from './finding.ts'

export interface PythonProject {
  /** Names of packages, in small letters and with dashes, and where each is asked for. */
  readonly dependencies: ReadonlyMap<string, string>
  /** As it is asked for: `>=3.10,<4.0`, `^3.11`, `3.12`. */
  readonly python: Found<string> | undefined
  /** Commands that the package installs, and what each calls: `app.main:run`. */
  readonly scripts: ReadonlyMap<string, Found<string>>
  /** The names of the groups of packages that are not the main one. */
  readonly groups: readonly string[]
}

export const noPython: PythonProject = { dependencies: new Map(), python: undefined, scripts: new Map(), groups: [] }

/** requirements.txt: names only. */
export function requirements(text: string, file: string): PythonProject {
  const packages = numbered(text).flatMap(([line, number]) => {
    const [, name] = /^\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(?:[=<>~!;@#]|$)/.exec(line) ?? []
    return name === undefined ? [] : [[normal(name), at(file, number)] as const]
  })
  return { ...noPython, dependencies: new Map(packages) }
}

/** pyproject.toml or a Pipfile. Of TOML only what these files have on one line: a section, `key = "…"`, an item of a list. */
export function pyproject(text: string, file: string): PythonProject {
  const dependencies = new Map<string, string>()
  const scripts = new Map<string, Found<string>>()
  const groups = new Set<string>()
  let python: Found<string> | undefined
  let section = ''
  let list = ''
  for (const [line, number] of numbered(text)) {
    const from = at(file, number)
    const [, header] = /^\s*\[\[?([^\]]+)\]\]?\s*(?:#.*)?$/.exec(line) ?? []
    if (header !== undefined) {
      section = header.replaceAll(/["\s]/g, '')
      list = ''
      const [, group] = /^tool\.poetry\.group\.([\w-]+)/.exec(section) ?? []
      if (group !== undefined) groups.add(group)
      continue
    }
    const [, key, rest = ''] = /^\s*["']?([\w.-]+)["']?\s*=\s*(.*)$/.exec(line) ?? []
    if (key !== undefined && !(list !== '' && /^\s*["']/.test(line))) {
      list = rest.startsWith('[') && !/\]\s*(#.*)?$/.test(rest) ? key : ''
      const [, said] = /^["']([^"']*)["']/.exec(rest) ?? []
      if (isPackages(section)) {
        if (normal(key) === 'python') python = said === undefined ? python : { value: said, from }
        else dependencies.set(normal(key), from)
      }
      if (section === 'dependency-groups') groups.add(key)
      if (/^(requires-python|python_version)$/.test(key) && said !== undefined) python = { value: said, from }
      if (/^(project|tool\.poetry)\.scripts$/.test(section) && said !== undefined)
        scripts.set(key, { value: said, from })
      if (isList(section, key)) for (const name of namesIn(rest)) dependencies.set(name, from)
    } else if (list !== '') {
      if (isList(section, list)) for (const name of namesIn(line)) dependencies.set(name, from)
      if (/^\s*\]/.test(line)) list = ''
    }
  }
  return { dependencies, python, scripts, groups: [...groups] }
}

/** The packages of several files. */
export function joined(projects: readonly PythonProject[]): PythonProject {
  return {
    dependencies: new Map(projects.flatMap(({ dependencies }) => [...dependencies]).reverse()),
    python: projects.find(({ python }) => python !== undefined)?.python,
    scripts: new Map(projects.flatMap(({ scripts }) => [...scripts])),
    groups: projects.flatMap(({ groups }) => groups),
  }
}

function isPackages(section: string): boolean {
  return /^(tool\.poetry\.(group\.[\w-]+\.)?dependencies|packages)$/.test(section)
}

function isList(section: string, key: string): boolean {
  return (section === 'project' && key === 'dependencies') || section === 'dependency-groups'
}

function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/["']([A-Za-z0-9][\w.-]*)[^"']*["']/g)].map(([, name = '']) => normal(name))
}

/** As the package index compares names. */
function normal(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, '-')
}
