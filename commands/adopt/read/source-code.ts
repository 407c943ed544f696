import { at, type Found, numbered, type Variable } from './finding.ts'

/** What can be seen in a file of code without running it. */
export interface CodeFacts {
  readonly variables: readonly Variable[]
  readonly polls: readonly string[]
  readonly setsWebhook: readonly string[]
  readonly takesWebhook: readonly string[]
  /** Migrations are run by the bot itself, when it starts. */
  readonly migratesItself: readonly string[]
  /** Files that are started by their name, and not imported. */
  readonly programs: readonly string[]
  /** Files of SQLite that it opens by a name in the code. */
  readonly sqliteFiles: readonly Found<string>[]
  /** Ports that it listens on, by a number in the code. */
  readonly ports: readonly Found<number>[]
  /** Places that name this very machine as where a server is. */
  readonly localServers: readonly string[]
}

/** Of each kind in one file. */
const maxSights = 5

const sights: readonly (readonly [
  name: 'polls' | 'setsWebhook' | 'takesWebhook' | 'migratesItself' | 'localServers',
  pattern: RegExp,
])[] = [
  [
    'polls',
    /\b(start_polling|run_polling|infinity_polling|startPolling|StartPolling|GetUpdatesChan|bot\.launch)\s*\(|\bbot\.start\(\s*(\{|\)|$)|\brun\(bot\b|LongPoller\b/,
  ],
  [
    'setsWebhook',
    /(?<!async def |def |func |function )(?<![\w])(\w+\.)+(set_webhook|setWebhook|SetWebhook|SetAllBotWebhooks)\s*\(|\brun_webhook\s*\(/,
  ],
  [
    'takesWebhook',
    /\b(webhookCallback|SimpleRequestHandler|feed_update|feed_webhook_update|feed_raw_update|createWebhook|process_new_updates)\s*\(/,
  ],
  [
    'migratesItself',
    /\bcommand\.upgrade\s*\(|\balembic\.command\b|migrateToLatest\s*\(|\.migrate\.latest\s*\(|prisma migrate deploy|alembic upgrade head/,
  ],
  [
    'localServers',
    /^(?!.*(env|listen|[A-Z]_[A-Z]))(?!\s*\w+\s*:\s*[\w[\] |]*(str|Str|Dsn|Url)\b).*(\b(rediss?|postgres(ql)?(\+\w+)?|mongodb|mysql|amqp|nats):\/\/[^'"]*(localhost|127\.0\.0\.1)|Redis\(.*host\s*=\s*['"](localhost|127\.0\.0\.1))/,
  ],
]

/** The second group is a default; \0 stands for one that the pattern cannot tell. */
const reads = [
  /process\.env\.([A-Z][A-Z0-9_]+)\b(?:\s*(?:\?\?|\|\|)\s*['"]([^'"]*)['"])?/g,
  /\benv\[['"]([A-Z][A-Z0-9_]+)['"]\]/g,
  /(?<![\w.])env\.([A-Z][A-Z0-9_]+)\b/g,
  /os\.environ(?:\.get)?[[(]\s*['"](\w+)['"](?:\s*,\s*['"]([^'"]*)['"])?/g,
  /\bgetenv\(\s*['"](\w+)['"](?:\s*,\s*['"]([^'"]*)['"])?/g,
  /\benv(?:\.(?:str|int|bool|list|float|url|path|json|dict|log_level))?\(\s*['"](\w+)['"]/g,
  /\bconfig\(\s*['"]([A-Z][A-Z0-9_]+)['"]/g,
  /os\.(?:Getenv|LookupEnv)\(\s*"(\w+)"/g,
  /\benv:"([A-Z][A-Z0-9_]+)/g,
]

export function codeFacts(text: string, file: string): CodeFacts {
  const facts = {
    ...{ variables: settingsIn(text, file), sqliteFiles: [] as Found<string>[], ports: [] as Found<number>[] },
    ...{
      polls: [] as string[],
      setsWebhook: [] as string[],
      takesWebhook: [] as string[],
      migratesItself: [] as string[],
    },
    ...{ localServers: [] as string[], programs: /^if __name__ == ['"]__main__['"]/m.test(text) ? [file] : [] },
  }
  for (const [line, number] of numbered(text)) {
    // A line of a bundle is no place to search in.
    if (line.length > 2000 || /^\s*(#|\/\/|\*)/.test(line)) continue
    const from = at(file, number)
    for (const [name, pattern] of sights)
      if (facts[name].length < maxSights && pattern.test(line)) facts[name].push(from)
    for (const pattern of reads)
      for (const [found, name = '', value] of line.matchAll(pattern))
        facts.variables.push({ name, value, from, ...(isRequired(found, line) && { required: true as const }) })
    const [, connected, opened, inUrl] =
      /\b(?:sqlite3|aiosqlite)\.connect\(\s*f?['"]([^'"]+)['"]|new Database\(\s*['"]([^'"]+)['"]|['"]sqlite(?:\+\w+)?:\/\/\/([^'"?]+)/.exec(
        line,
      ) ?? []
    const path = connected ?? opened ?? inUrl
    if (path !== undefined && path !== ':memory:') facts.sqliteFiles.push({ value: path, from })
    const port = Number(/\bport\s*[=:]\s*(\d{2,5})\b|\.listen\(\s*(\d{2,5})\b/i.exec(line)?.slice(1).find(Boolean) ?? 0)
    if (port > 0 && port < 65_536 && !/redis|postgres|mongo|mysql|nats|smtp/i.test(line))
      facts.ports.push({ value: port, from })
  }
  return facts
}

/** `os.environ['A']` and `env.str('A')` fail without it; a comma behind the name begins a default. */
function isRequired(found: string, line: string): boolean {
  if (!/^(os\.environ\s*\[|env(\.\w+)?\()/.test(found) || /\bdel\b/.test(line)) return false
  return !/^\s*,/.test(line.slice(line.indexOf(found) + found.length))
}

/** The fields of pydantic's settings, which are variables in any case of letters. */
function settingsIn(text: string, file: string): Variable[] {
  if (!text.includes('BaseSettings')) return []
  const found: Variable[] = []
  let prefix = ''
  const lines = numbered(text)
  for (const [i, [line, number]] of lines.entries()) {
    if (/^class /.test(line)) {
      const end = lines.findIndex(([each], j) => j > i && /^\S/.test(each) && !/^[)#]/.test(each))
      const body = lines.slice(i, end === -1 ? undefined : end).map(([each]) => each)
      if (!/\(.*(BaseSettings|Settings)\b/.test(line)) prefix = '\0'
      else prefix = /env_prefix\s*=\s*['"](\w+)['"]/.exec(body.join('\n'))?.[1] ?? ''
    }
    const [, name, rest = ''] =
      /^ {4}([A-Za-z]\w*)\s*:\s*\w*(?:str|Str|int|bool|float|Dsn|Url|list)\b([^#]*)/.exec(line) ?? []
    if (name === undefined || prefix === '\0') continue
    const alias = /\b(?:validation_alias|alias|env)\s*=\s*['"](\w+)['"]/.exec(rest)?.[1]
    const value = /=\s*['"]([^'"]*)['"]/.exec(rest.replace(/Field\(.*/, ''))?.[1]
    const isRequired = !/=|None/.test(rest) || /Field\((?!.*default)(?!['"\d])/.test(rest)
    found.push({
      ...{ name: (alias ?? `${prefix}${name}`).toUpperCase(), value, from: at(file, number) },
      ...(isRequired && { required: true as const }),
    })
  }
  return found
}
