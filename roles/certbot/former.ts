import { becomes, type Change, type Resource, resource } from '../../lib/model/resource.ts'
import { tlsFolder } from '../../lib/platform/certificate.ts'
import { sitePath } from '../../lib/platform/domain-server.ts'
import { nginxFolder, reloadFunction } from '../../lib/platform/nginx.ts'
import { type NamesThere, namesThere } from '../../lib/platform/site-file.ts'
import { lines, type Script, sh } from '../../lib/shell/sh.ts'

/** What a host is to have for names. */
export interface NamesWanted {
  /** Names whose certificates certbot renews. */
  readonly lineages: readonly string[]
  /** The host's name and the domains of all its bots. */
  readonly names: readonly string[]
  /** The bots that have domains. */
  readonly bots: readonly string[]
}

/**
 * Deletes the certificates that we installed under other names: certbot would go on renewing them, which fails, or replaces one of
 * another kind. What nginx still uses stays: its files are written by another role, and this comes after them and their reload.
 */
export function formerNames(wanted: NamesWanted): Resource {
  return {
    ...resource({
      id: 'certificate:former',
      wants: wanted,
      reads: { there: namesThere },
      plan: ({ there }) => [...formerSites(wanted, there), ...formerCertificates(wanted, there)],
    }),
    follows: 'nginx:config',
  }
}

function formerSites({ bots }: NamesWanted, { sites }: NamesThere): Change[] {
  return (
    Object.keys(sites)
      // One that names no certificate is of a bot that has routes and no domain.
      .filter((bot) => !bots.includes(bot) && sites[bot]?.length !== 0)
      .map((bot) => {
        const { text } = sh`
        ${reloadFunction()}
        rm -f ${`${nginxFolder}/conf/${sitePath(bot)}`}
        nginx_reload`
        return {
          summary: `delete the servers of ${bot}, which has no domain`,
          script: { text, shown: `rm ${nginxFolder}/conf/${sitePath(bot)}; nginx -s reload` },
          predicts: [
            becomes(namesThere, ({ sites: { [bot]: _, ...others }, ...there }) => ({ ...there, sites: others })),
          ],
        }
      })
  )
}

function formerCertificates({ lineages, names, bots }: NamesWanted, { sites, ...there }: NamesThere): Change[] {
  const used = Object.entries(sites).flatMap(([bot, each]) => (bots.includes(bot) ? each : []))
  const isFree = (name: string) => names.includes(name) || !used.includes(name)
  const former = {
    lineages: there.lineages.filter((name) => !lineages.includes(name) && isFree(name)),
    folders: there.folders.filter((name) => !names.includes(name) && isFree(name)),
  }
  const all = [...new Set([...former.lineages, ...former.folders])]
  if (all.length === 0) return []
  const left = (list: readonly string[], gone: readonly string[]) => list.filter((each) => !gone.includes(each))
  return [
    {
      summary: `delete what is no longer served: the certificate${all.length > 1 ? 's' : ''} for ${all.join(', ')}`,
      script: deletion(former),
      predicts: [
        becomes(namesThere, (now) => ({
          ...now,
          lineages: left(now.lineages, former.lineages),
          folders: left(now.folders, former.folders),
        })),
      ],
    },
  ]
}

function deletion({ lineages, folders }: { lineages: readonly string[]; folders: readonly string[] }): Script {
  // On a host that was rebuilt certbot may not be installed any more.
  const forgotten = lineages.map(
    (name) =>
      sh`if command -v certbot >/dev/null; then certbot delete --non-interactive --cert-name ${name}; else rm -f /etc/letsencrypt/renewal/${name}.conf; fi`,
  )
  const { text } = sh`
    ${folders.length > 0 ? freed(folders) : sh`:`}
    ${lines(forgotten)}
    ${folders.length > 0 ? sh`rm -rf ${folders.map((name) => `${tlsFolder}/${name}`)}; nginx_reload` : sh`:`}`
  const shown = [
    ...lineages.map((name) => `certbot delete --cert-name ${name}`),
    ...folders.map((name) => `rm -r ${tlsFolder}/${name}`),
  ]
  return { text, shown: shown.join('; ') }
}

/** Shell: has nginx run what is written already, and sees that it needs none of these certificates. */
function freed(names: readonly string[]): Script {
  const unused = names.map(
    (name) => sh`
    if grep -qsF ${`/tls/${name}/`} ${nginxFolder}/running/nginx.conf ${nginxFolder}/running/sites/*.conf; then
      echo ${`nginx still uses the certificate for ${name}: run site.ts without --tags`}
      exit 1
    fi`,
  )
  return sh`
    ${reloadFunction()}
    nginx_is_current || nginx_reload
    ${lines(unused)}`
}
