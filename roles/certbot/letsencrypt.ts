import type { Facts } from '../../lib/model/facts.ts'
import { etcDir, optDir } from '../../lib/model/host-layout.ts'
import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { certificateState, sameNames, subjectName } from '../../lib/platform/certificate.ts'
import { absentFile, directory, file, shipsDirectory } from '../../lib/resources/file.ts'
import { aptPackage } from '../../lib/resources/package.ts'
import { dropIn, runningUnit, unit, unitState } from '../../lib/resources/unit.ts'
import { template } from '../../lib/std/template.ts'
import { contentOf } from './files.ts'
import { issue, putIntoService, putIntoServiceIfNew } from './issue.ts'
import { lineage, pruneLineages, renewal } from './lineage.ts'
import type { CertbotVars } from './schema.ts'

const timer = 'certbot.timer'
const authorityFile = `${etcDir}/acme-ca.pem`
const hooks = '/etc/letsencrypt/renewal-hooks'

/** A certificate from an ACME authority, requested by the distribution's certbot and renewed by its timer. */
export function letsencrypt(
  name: string,
  { email, server, authority, preflight }: CertbotVars,
  facts: Facts,
): Resource[] {
  const directoryUrl = urlOf(server)
  return [
    aptPackage('certbot', [becomes(unitState(timer), runningUnit), shipsDirectory('/etc/letsencrypt')]),
    ...trust(authority),
    ...['/etc/letsencrypt', hooks, `${hooks}/deploy`].map((each) => directory(each)),
    file(`${hooks}/deploy/botgarden`, { content: hook(), mode: '0755' }),
    unit(timer, 'running'),
    ...serveHook(name),
    certificate(name, {
      ...{ email, server: directoryUrl, preflight },
      trusted: authority !== undefined,
      addresses: facts.addresses,
    }),
    pruneLineages(name),
    renewal(),
  ]
}

interface Order {
  readonly email: string | undefined
  readonly server: string
  readonly trusted: boolean
  readonly preflight: boolean
  /** The addresses of the host, for the error that says how to set up DNS. */
  readonly addresses: readonly string[]
}

function certificate(name: string, order: Order): Resource {
  const [got, shown] = [lineage(name), certificateState(name)]
  return resource({
    id: `certificate:${name}`,
    wants: order.server,
    reads: { got, shown },
    plan: ({ got: ours, shown: served }) => {
      const names = [subjectName(name)]
      const right = ours !== 'absent' && ours.server === order.server && sameNames(ours.names, names)
      const after = { fingerprint: 'new', names, selfSigned: false, keyMatches: true, endsSoon: false }
      if (!right) {
        const reason = ours === 'absent' ? '' : `, not from ${ours.server}`
        return [
          {
            summary: `issue one from ${order.server}${reason}`,
            script: issue(name, { ...order, authority: order.trusted ? authorityFile : undefined }),
            predicts: [becomes(got, { server: order.server, names, fingerprint: 'new' }), becomes(shown, after)],
            long: true,
          },
        ]
      }
      if (served !== 'absent' && served.keyMatches && served.fingerprint === ours.fingerprint) return []
      const predicts = [becomes(shown, { ...after, fingerprint: ours.fingerprint })]
      return [{ summary: 'install the one that certbot has', script: putIntoService(name), predicts }]
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
function serveHook(name: string): Resource[] {
  const path = `${optDir}/certbot/serve`
  return [
    directory(optDir),
    directory(`${optDir}/certbot`),
    file(path, { content: template(templateOf('serve'), { script: putIntoServiceIfNew(name).text }), mode: '0755' }),
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
