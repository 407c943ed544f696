import { looksLikeToken } from '../../../roles/bot/spec/references.ts'
import type { ComposeService } from '../read/compose-service.ts'
import type { Variable } from '../read/finding.ts'
import { interpolated, soleVariable } from './interpolate.ts'
import { flat, isTokenName, isUnused, looksSecret, type Meaning, nameMeans } from './names.ts'
import { type Engine, engineOfUrl, enginesByPort, partMeans, serverPart } from './servers.ts'

/** A variable of the bot, and what it is to it. */
export interface Meant extends Variable {
  readonly meaning: Meaning
  /** `kept`: in the operator's own .env. `code`: only the code names it. */
  readonly shownBy: 'example' | 'kept' | 'code'
}

/** More than any bot has. */
const maxVariables = 3000

/** All variables of a bot. A compose file wins over an example, and both over what the code says. */
export function gathered(
  service: ComposeService | undefined,
  shown: readonly Variable[],
  kept: readonly Variable[],
  code: readonly Variable[],
): readonly Omit<Meant, 'meaning'>[] {
  const examples = new Map(shown.toReversed().map(({ name, value = '' }) => [name, value]))
  const found = new Map<string, Omit<Meant, 'meaning'>>()
  const add = (shownBy: Meant['shownBy'], variables: readonly Variable[]) => {
    for (const variable of variables)
      if (!found.has(variable.name) && found.size < maxVariables) found.set(variable.name, { ...variable, shownBy })
  }
  add(
    'example',
    (service?.environment ?? []).map((each) => filled(each, examples)),
  )
  add('example', shown)
  add('kept', kept)
  add('code', code)
  return [...found.values()]
}

export function meant(variables: readonly Omit<Meant, 'meaning'>[], database: Engine | undefined): readonly Meant[] {
  const byPort = enginesByPort(variables)
  const all = variables.map((each) => ({ ...each, meaning: meaningOf(each, byPort, database) }))
  return oneToken(all)
}

function filled(variable: Variable, examples: ReadonlyMap<string, string>): Variable {
  const { value } = variable
  if (value === undefined) return { ...variable, value: examples.get(variable.name) }
  const sole = soleVariable(value)
  // NAME: ${NAME} hands on what the operator has.
  if (sole !== undefined && !value.includes('-') && !examples.has(sole)) return { ...variable, value: undefined }
  // An example is for a developer's machine; the compose file says where that is among containers.
  const isLocal = sole !== undefined && /^\w+:\/\/(localhost|127\.0\.0\.1)\b/.test(examples.get(sole) ?? '')
  return { ...variable, value: interpolated(value, isLocal && /:-./.test(value) ? new Map() : examples) }
}

function meaningOf(
  { name, value = '' }: Variable,
  byPort: ReadonlyMap<string, Engine>,
  database: Engine | undefined,
): Meaning {
  if (isUnused(name)) return 'unused'
  if (looksLikeToken(value)) return isTokenName(name) ? 'token' : 'secret'
  const engine = engineOfUrl(value)
  if (engine !== undefined) {
    if (engine === 'cache' || engine === 'postgres') return engine === 'cache' ? 'cache.url' : 'database.url'
    return engine === 'sqlite' ? 'sqlite' : 'elsewhere'
  }
  if (/\.(db|sqlite3?)$/.test(value) && !/:\/\//.test(value)) return 'sqlite'
  const part = serverPart(name, byPort)
  if (part !== undefined) return partMeans(part, database)
  // The name of a database that hides as a path: DB_PATH=shop.
  if (/(^|_)(DB|DATABASE)_PATH$/.test(flat(name)) && database === 'postgres' && !/[/.]/.test(value))
    return 'database.name'
  return nameMeans(name, value)
}

/** Of several that may be the token the one with the clearest name is it; the others are secrets of something else. */
function oneToken(all: readonly Meant[]): readonly Meant[] {
  const tokens = all.filter(({ meaning }) => meaning === 'token')
  const rank = ({ name, shownBy }: Meant) =>
    (/BOT/.test(name) ? 0 : 4) + (/TELEGRAM|^TG/.test(name) ? 0 : 1) + (shownBy === 'code' ? 8 : 0)
  const first = tokens.toSorted((a, b) => rank(a) - rank(b))[0]
  return all.map((each) => {
    if (each.meaning === 'token' && each !== first && /API_TOKEN|^TOKEN$/.test(flat(each.name)))
      return { ...each, meaning: 'secret' }
    return each.meaning === 'plain' && looksSecret(each.value ?? '') ? { ...each, meaning: 'secret' } : each
  })
}
