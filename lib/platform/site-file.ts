import { mapChanges } from '../model/combinators.ts'
import { oneValue } from '../model/kinds.ts'
import { type Kind, type Reading, reading } from '../model/reading.ts'
import { becomes, type Prediction, type Resource } from '../model/resource.ts'
import { sh } from '../shell/sh.ts'
import { tlsFolder } from './certificate.ts'
import { sitePath } from './domain-server.ts'
import { domainMark } from './domains.ts'
import { nginxFile, nginxFolder } from './nginx.ts'

/** What a host has for names, whether they are wanted or not. */
export interface NamesThere {
  /** Names of the certificates that certbot renews and that were installed for nginx. */
  readonly lineages: readonly string[]
  /** Names with a folder for the certificate of a bot's domain. */
  readonly folders: readonly string[]
  /** By bot: the names whose certificates its servers use. */
  readonly sites: Readonly<Record<string, readonly string[]>>
}

/** The file of nginx with the servers of a bot's domains, and the limits of its routes. */
export function siteFile(bot: string, text: string, beside = sh`:`): Resource {
  const uses = siteUses(bot, text)
  return mapChanges(nginxFile(sitePath(bot), text, undefined, beside), (change) => ({
    ...change,
    predicts: [...(change.predicts ?? []), uses],
  }))
}

/** Predicts what certificates the servers of a bot use with this text. */
export function siteUses(bot: string, text: string): Prediction {
  return becomes(namesThere, (now) => ({ ...now, sites: { ...now.sites, [bot]: usedIn(text) } }))
}

function usedIn(text: string): readonly string[] {
  const all = [...text.matchAll(/^ *ssl_certificate .*\/tls\/([^/\n]+)\/current\/fullchain\.pem;$/gm)]
  return all.map(([, name = '']) => name)
}

// Where no bot has a domain this calls no program.
export const namesThere: Reading<NamesThere> = reading(
  {
    name: 'own-lineages',
    script: () => sh`
      for file in /etc/letsencrypt/renewal/*.conf; do
        name=$(basename "$file" .conf)
        [ ! -d ${tlsFolder}/"$name" ] || echo "$name"
      done
      for file in ${tlsFolder}/*/${domainMark}; do
        [ ! -e "$file" ] || echo "folder $file"
      done
      for file in ${nginxFolder}/conf/sites/*.conf; do
        [ -e "$file" ] || continue
        echo "site $file"
        grep '^ *ssl_certificate ' "$file" || :
      done`,
    parse: oneValue(parseNames),
  } satisfies Kind<NamesThere>,
  'own',
)

function parseNames(output: string): NamesThere {
  const [head = '', ...sites] = output.split(/^site /m)
  const lines = head.split('\n').filter(Boolean)
  const folder = /^folder .*\/([^/]+)\/[^/]+$/
  return {
    lineages: lines.filter((line) => !line.startsWith('folder ')),
    folders: lines.flatMap((line) => folder.exec(line)?.[1] ?? []),
    sites: Object.fromEntries(sites.map((text) => [/([^/]+)\.conf$/m.exec(text)?.[1] ?? '', usedIn(text)] as const)),
  }
}
