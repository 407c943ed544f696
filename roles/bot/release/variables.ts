import { runDir } from '../../../lib/model/host-layout.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { cacheHost, cachePort } from '../spec/cache.ts'
import { databaseAddress } from '../spec/database.ts'
import type { BotInstance } from '../spec/instance.ts'
import type { ExternalDatabase } from '../spec/keys/external-database.ts'
import { type Colour, layoutOf } from '../spec/layout.ts'
import { processAddress } from '../spec/processes.ts'
import { piecesOf, processNameOf, type ReferenceName, secretNameOf } from '../spec/references.ts'
import type { Spec } from '../spec/spec.ts'
import { webhookPathOf } from '../spec/webhook-path.ts'
import { originBeside, webhookUrl } from './nginx-route.ts'

/** A value in pieces: text, and the content of files that only the host can read. */
type Value = readonly (string | { readonly file: string; readonly encoded?: boolean })[]

/** The variables with references: those without a secret, and those that the host fills in when a container is created. */
export function filledVariables(instance: BotInstance, colour: Colour, spec: Spec) {
  const all = Object.entries(spec.references ?? {}).map(
    ([name, value]) => [name, filled(value, instance, colour, spec)] as const,
  )
  const isPlain = (value: Value) => value.every((piece) => typeof piece === 'string')
  return {
    plain: Object.fromEntries(all.filter(([, value]) => isPlain(value)).map(([name, value]) => [name, value.join('')])),
    secret: all.filter(([, value]) => !isPlain(value)),
  }
}

/** The file with the secret variables of a container. It exists only while Compose reads it. */
export function variablesFile(bot: string, colour: Colour): string {
  return `${runDir}/variables/${bot}-${colour}`
}

const functions = shellFile(new URL('variables.sh', import.meta.url))
/** Shell text: the function `encoded_of FILE`, which prints its content as a part of a URL, each byte as %XX. */
const encodedOf = sh`
  encoded_of() { variable_of "$1" >/dev/null && od -An -v -tx1 <"$1" | tr -d ' \n' | sed 's/../%&/g'; }`

/** Shell text: the function `with_variables COMMAND…`, during which the file of secret variables exists. */
export function variablesFunction(
  instance: BotInstance,
  colour: Colour,
  spec: Spec,
  file = variablesFile(instance.bot, colour),
): Script {
  const { secret } = filledVariables(instance, colour, spec)
  if (secret.length === 0) return sh`with_variables() { "$@"; }`
  const pieces = secret.flatMap(([name, value]) => [
    sh`printf %s ${`${name}="`}`,
    ...value.map((piece) =>
      typeof piece === 'string'
        ? sh`printf %s ${escaped(piece)}`
        : sh`${piece.encoded ? 'encoded_of' : 'variable_of'} ${piece.file}`,
    ),
    sh`echo '"'`,
  ])
  const all = pieces.reduce((before, each) => sh`${before} && ${each}`)
  return sh`
    variables_file=${file}
    variables() { ${all}; }
    ${functions}
    ${secret.some(([, value]) => value.some((piece) => typeof piece === 'object' && piece.encoded)) ? encodedOf : sh``}`
}

/** As Compose reads the value of a variable between double quotes. */
function escaped(text: string): string {
  return text.replace(/[\\"$]/g, '\\$&')
}

function filled(value: string, instance: BotInstance, colour: Colour, spec: Spec): Value {
  return piecesOf(value).flatMap((piece) =>
    'text' in piece ? [piece.text] : known(piece.name as ReferenceName, instance, colour, spec),
  )
}

function known(reference: ReferenceName, instance: BotInstance, colour: Colour, spec: Spec): Value {
  const { bot, origin, domains: [own] = [] } = instance
  const publicOrigin = own === undefined ? origin : originBeside(origin, own)
  const { secrets } = layoutOf(bot)
  const { host, port, user, name, passwordFileOnHost } = databaseAddress(bot, spec)
  const password = { file: passwordFileOnHost }
  const { external } = spec
  const cachePassword = { file: `${secrets}/cache-password` }
  const secret = secretNameOf(reference)
  if (secret !== undefined) return [{ file: `${secrets}/${secret}` }]
  const called = processNameOf(reference)
  if (called !== undefined)
    return [`http://${processAddress(instance, spec, called, colour)}:${spec.processes?.[called]?.port}`]
  const values: Readonly<Record<Exclude<ReferenceName, `secret.${string}` | `process.${string}.url`>, Value>> = {
    token: [{ file: `${secrets}/token` }],
    'bot.name': [bot],
    // By the socket in the form of libpq, which most clients read: its folder is a parameter.
    'database.url': [
      `postgresql://${encodeURIComponent(user)}:`,
      { ...password, ...(external && { encoded: true }) },
      external
        ? `@${host}:${port}/${name}?${parametersOf(external)}`
        : spec.tcp
          ? `@${host}:${port}/${name}`
          : `@/${name}?host=${host}`,
    ],
    'database.host': [host],
    'database.port': [String(port)],
    'database.user': [user],
    'database.password': [password],
    'database.name': [name],
    'cache.url': ['redis://:', cachePassword, `@${cacheHost}:${cachePort}`],
    'cache.host': [cacheHost],
    'cache.port': [String(cachePort)],
    'cache.password': [cachePassword],
    'public.url': [publicOrigin],
    'public.host': [new URL(publicOrigin).hostname],
    'webhook.url': [webhookUrl(origin, bot)],
    'webhook.path': [webhookPathOf(spec.webhookPath).path],
    'webhook.secret': [{ file: `${secrets}/webhook-secret` }],
  }
  return values[reference as keyof typeof values] ?? []
}

function parametersOf({ sslmode, parameters }: ExternalDatabase): string {
  return [`sslmode=${sslmode}`, ...(parameters === undefined ? [] : [parameters])].join('&')
}
