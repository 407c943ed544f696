import { suggest } from '../../../lib/std/suggest.ts'

/** A value of a bot's environment in pieces: literal text, and what the host knows by a name. */
export type Piece = { readonly text: string } | { readonly name: string }

/** What a value may refer to. `secret.NAME` and `process.NAME.url` come beside these. */
export const referenceNames = [
  'token',
  'bot.name',
  'database.url',
  'database.host',
  'database.port',
  'database.user',
  'database.password',
  'database.name',
  'cache.url',
  'cache.host',
  'cache.port',
  'cache.password',
  'public.url',
  'public.host',
  'webhook.url',
  'webhook.path',
  'webhook.secret',
] as const
export type ReferenceName = (typeof referenceNames)[number] | `secret.${string}` | `process.${string}.url`

/** The pieces of a value: `${token}` is a reference, `$$` a dollar, and a dollar before anything else is itself. */
export function piecesOf(value: string): readonly Piece[] {
  return [...value.matchAll(/\$\$|\$\{([^{}]*)\}|\$\{?|[^$]+/g)].map(([found, name]) =>
    name === undefined ? { text: found === '$$' ? '$' : found } : { name: name.trim() },
  )
}

/** The names that a value refers to. */
export function referencesIn(value: string): readonly string[] {
  return piecesOf(value).flatMap((piece) => ('name' in piece ? [piece.name] : []))
}

/** The text of a value that refers to nothing. */
export function literalOf(value: string): string {
  return piecesOf(value)
    .map((piece) => ('text' in piece ? piece.text : ''))
    .join('')
}

/** The name of the secret that a reference is about; undefined where it is about none of the operator's. */
export function secretNameOf(reference: string): string | undefined {
  return /^secret\.([A-Z_][A-Z0-9_]*)$/.exec(reference)?.[1]
}

/** The name of the process whose URL a reference is; undefined where it is none. */
export function processNameOf(reference: string): string | undefined {
  return /^process\.([a-z][a-z0-9-]*)\.url$/.exec(reference)?.[1]
}

/** What is wrong with the references of a value, as the end of «NAME: …»; undefined where nothing is. */
export function referenceFault(value: string): string | undefined {
  for (const piece of piecesOf(value)) {
    if ('text' in piece) {
      if (piece.text === '${') return 'has a "${" without its "}": write $${ for these characters'
      continue
    }
    const { name } = piece
    if (name.startsWith('secret.') && secretNameOf(name) === undefined)
      return `\${${name}}: the name of a secret is in capitals, as \${secret.API_KEY}`
    if (name.startsWith('process.') && processNameOf(name) === undefined)
      return `\${${name}}: what is known of a process is where it listens, as \${process.api.url}`
    if (!/^(secret|process)\./.test(name) && !(referenceNames as readonly string[]).includes(name))
      return `\${${name}} is nothing that the host knows${suggest(name, [...referenceNames, 'secret.NAME', 'process.NAME.url'])}: it knows ${referenceNames.map((each) => `\${${each}}`).join(' ')} \${secret.NAME} \${process.NAME.url}; write $\${…} for the characters themselves`
  }
  return undefined
}

/** Whether a text has a bot token in it: 123456789:ABC… */
export function looksLikeToken(text: string): boolean {
  return /(^|[^\w])\d{6,12}:[\w-]{30,}/.test(text)
}
