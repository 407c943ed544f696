import { certificateFolder, isAddress } from '../../lib/platform/certificate.ts'
import { acmeWebroot } from '../../lib/platform/nginx.ts'
import { template } from '../../lib/std/template.ts'

export interface Edge {
  /** The host's domain, or its address where it has none. */
  readonly name: string
  readonly port: number
  readonly ipv6: boolean
  /** Networks that are never limited. */
  readonly telegram: readonly string[]
  /** Whether a bot has a domain of its own. */
  readonly sites?: boolean
}

/** The text of nginx.conf. */
export function configText({ name, port, ipv6, telegram, sites = false }: Edge): string {
  const domain = isAddress(name) ? undefined : name
  const listens = (each: number) => [String(each), ...(ipv6 ? [`[::]:${each}`] : [])]
  return template(new URL('templates/nginx.conf.mustache', import.meta.url), {
    telegram,
    sites,
    // Port 80 serves HTTPS where the inventory says so.
    http: port !== 80,
    listens80: listens(80),
    listens443: listens(port),
    // A client that connects to an address sends no name, so the default server must answer.
    isDefault: domain === undefined ? ' default_server' : '',
    serverName: domain ?? '_',
    domain,
    portSuffix: port === 443 ? '' : `:${port}`,
    webroot: acmeWebroot,
    certificate: certificateFolder(name),
  })
}
