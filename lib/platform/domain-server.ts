import { certificateFolder } from './certificate.ts'
import { acmeWebroot } from './nginx.ts'

/** What a domain of a bot is served by. */
export interface DomainServer {
  readonly domain: string
  readonly httpsPort: number
  readonly ipv6: boolean
  /** What is in the server of HTTPS beside its certificate: locations, limits, headers. Lines end with a line break. */
  readonly inner: string
}

/** Of a server whose domain nothing is served on. */
export const nothingHere = `add_header Content-Security-Policy "default-src 'none'; frame-ancestors 'none'" always;
add_header X-Content-Type-Options nosniff always;
location / {
    return 404;
}
`

/** The file of a bot's servers, by its path in nginx's configuration. It is read beside `nginx.conf`, not within a server. */
export function sitePath(bot: string): string {
  return `sites/${bot}.conf`
}

/**
 * The servers of a domain: HTTPS with its own certificate, and port 80, which answers the authority and leads anybody else to
 * HTTPS. A header that a location adds keeps those of its server away, so such a location repeats them.
 */
export function domainServer({ domain, httpsPort, ipv6, inner }: DomainServer): string {
  const listen = (port: number, more = '') =>
    [`${port}`, ...(ipv6 ? [`[::]:${port}`] : [])].map((each) => `    listen ${each}${more};\n`).join('')
  const certificate = certificateFolder(domain)
  // Port 80 serves HTTPS where the inventory says so.
  const http = `server {
${listen(80)}    server_name ${domain};
    location /.well-known/acme-challenge/ {
        root ${acmeWebroot};
        default_type text/plain;
    }
    location / {
        return 301 https://${domain}${httpsPort === 443 ? '' : `:${httpsPort}`}$request_uri;
    }
}
`
  return `${httpsPort === 80 ? '' : http}server {
${listen(httpsPort, ' ssl')}    http2 on;
    server_name ${domain};
    ssl_certificate ${certificate}/fullchain.pem;
    ssl_certificate_key ${certificate}/privkey.pem;
    add_header Strict-Transport-Security "max-age=63072000" always;
${inner.replace(/^(?=.)/gm, '    ')}}
`
}
