import { becomes, type Change, type Resource, resource } from '../../lib/model/resource.ts'
import { tlsFolder } from '../../lib/platform/certificate.ts'
import { sitePath } from '../../lib/platform/domain-server.ts'
import { nginxFolder, reloadFunction } from '../../lib/platform/nginx.ts'
import { type NamesThere, namesThere } from '../../lib/platform/site-file.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'

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
  const without = (list: readonly string[], name: string) => list.filter((each) => each !== name)
  const former = [
    ...there.lineages.filter((name) => !lineages.includes(name)),
    ...there.folders.filter((name) => !names.includes(name)),
  ]
  return [...new Set(former)]
    .filter((name) => names.includes(name) || !used.includes(name))
    .map((name) => ({
      summary: `delete the certificate for ${name}, which is no longer served`,
      script: deletion(name, {
        lineage: there.lineages.includes(name),
        folder: there.folders.includes(name) && !names.includes(name),
      }),
      predicts: [
        becomes(namesThere, (now) => ({
          ...now,
          lineages: without(now.lineages, name),
          ...(!names.includes(name) && { folders: without(now.folders, name) }),
        })),
      ],
    }))
}

function deletion(name: string, has: { lineage: boolean; folder: boolean }): Script {
  // On a host that was rebuilt certbot may not be installed any more.
  const renewal = sh`
    if command -v certbot >/dev/null; then certbot delete --non-interactive --cert-name ${name}; else rm -f /etc/letsencrypt/renewal/${name}.conf; fi`
  const folder = sh`
    ${reloadFunction()}
    # What is written already is to run, so that nginx needs the folder no more. Its checksum is of all certificates.
    nginx_reload
    if grep -qsF ${`/tls/${name}/`} ${nginxFolder}/running/nginx.conf ${nginxFolder}/running/sites/*.conf; then
      echo ${`nginx still uses the certificate for ${name}: run site.ts without --tags`}
      exit 1
    fi
    rm -rf ${`${tlsFolder}/${name}`}
    nginx_reload`
  const { text } = sh`
    ${has.lineage ? renewal : sh`:`}
    ${has.folder ? folder : sh`:`}`
  const shown = [
    ...(has.lineage ? [`certbot delete --cert-name ${name}`] : []),
    ...(has.folder ? [`rm -r ${tlsFolder}/${name}`] : []),
  ]
  return { text, shown: shown.join('; ') }
}
