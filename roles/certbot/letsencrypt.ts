import type { Facts } from '../../lib/model/facts.ts'
import { etcDir, optDir } from '../../lib/model/host-layout.ts'
import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { certificateState } from '../../lib/platform/certificate.ts'
import { absentFile, directory, file, shipsDirectory } from '../../lib/resources/file.ts'
import { aptPackage } from '../../lib/resources/package.ts'
import { dropIn, runningUnit, unit, unitState } from '../../lib/resources/unit.ts'
import { template } from '../../lib/std/template.ts'
import { contentOf } from './files.ts'
import { eachIntoService, issue, type Order, putIntoService, putIntoServiceIfNew } from './issue.ts'
import { installChange, isRight, lineage, predictsIssued } from './lineage.ts'
import type { CertbotVars } from './schema.ts'

const timer = 'certbot.timer'
const authorityFile = `${etcDir}/acme-ca.pem`
const hooks = '/etc/letsencrypt/renewal-hooks'

/** Debian's certbot and its timer, which renews the certificates for these names and has nginx serve them. */
export function renewed(names: readonly string[], { authority }: CertbotVars): Resource[] {
  return [
    aptPackage('certbot', [becomes(unitState(timer), runningUnit), shipsDirectory('/etc/letsencrypt')]),
    ...trust(authority),
    ...['/etc/letsencrypt', hooks, `${hooks}/deploy`].map((each) => directory(each)),
    file(`${hooks}/deploy/botgarden`, { content: hook(), mode: '0755' }),
    unit(timer, 'running'),
    ...serveHook(names),
  ]
}

/** How the authority is asked. */
export function orderOf({ email, server, authority, preflight }: CertbotVars, { addresses }: Facts): Order {
  const trusted = authority === undefined ? undefined : authorityFile
  return { email, server: urlOf(server), authority: trusted, addresses, preflight }
}

/** A certificate from an ACME authority, requested by the distribution's certbot. */
export function letsencrypt(name: string, order: Order): Resource {
  return resource({
    id: `certificate:${name}`,
    wants: order.server,
    reads: { got: lineage(name), shown: certificateState(name) },
    plan: ({ got, shown }) => {
      if (isRight(got, name, order.server)) return installChange(name, got, shown)
      const reason = got === 'absent' ? '' : `, not from ${got.server}`
      return [
        {
          summary: `issue one from ${order.server}${reason}`,
          script: issue(name, order),
          predicts: predictsIssued(name, order.server),
          long: true,
        },
      ]
    },
  })
}

/** The root of an authority that only this inventory trusts: used by certbot alone, not by the host. */
function trust(authority: string | undefined): Resource[] {
  const folder = '/etc/systemd/system/certbot.service.d'
  const path = `${folder}/botgarden.conf`
  const reloaded = becomes(unitState('certbot.service'), (now) => ({ ...now, needsReload: false }))
  if (authority === undefined) return [absentFile(path)]
  return [
    directory(etcDir, { mode: '0700' }),
    file(authorityFile, { content: contentOf('certbot.authority', authority) }),
    directory(folder),
    file(path, {
      content: `# Written by botgarden; changes made here are overwritten.\n[Service]\nEnvironment=REQUESTS_CA_BUNDLE=${authorityFile}\n`,
      predicts: [reloaded],
      afterwards: { text: 'systemctl daemon-reload', shown: 'systemctl daemon-reload' },
    }),
  ]
}

function urlOf(server: string): string {
  if (server === 'production') return 'https://acme-v02.api.letsencrypt.org/directory'
  return server === 'staging' ? 'https://acme-staging-v02.api.letsencrypt.org/directory' : server
}

/**
 * certbot runs a hook once and does not check its exit code. So each run of its timer tries again to install a certificate that
 * nginx did not take. Until that succeeds the unit has failed, which each run of botgarden reports.
 */
function serveHook(names: readonly string[]): Resource[] {
  const path = `${optDir}/certbot/serve`
  const [name = '', ...others] = names
  const script = others.length === 0 ? putIntoServiceIfNew(name) : eachIntoService(names)
  return [
    directory(optDir),
    directory(`${optDir}/certbot`),
    file(path, { content: template(templateOf('serve'), { script: script.text }), mode: '0755' }),
    ...dropIn(
      'certbot.service',
      'botgarden-serve',
      `# Written by botgarden; changes made here are overwritten.\n[Service]\nExecStartPost=${path}\n`,
    ),
  ]
}

/** certbot runs it after each renewal: only then nginx is reloaded, and only for a changed certificate. */
function hook(): string {
  return template(templateOf('deploy-hook'), {
    script: putIntoService('"$name"').text,
  })
}

function templateOf(name: string): URL {
  return new URL(`templates/${name}.mustache`, import.meta.url)
}
