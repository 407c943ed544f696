import { etcDir } from '../../lib/model/host-layout.ts'
import { installPair, tlsFolder } from '../../lib/platform/certificate.ts'
import { acmeWebroot, reloadFunction } from '../../lib/platform/nginx.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'

/** Requests a certificate from an authority, after the host has made the same check by HTTP itself. */
export function issue(
  name: string,
  order: {
    email: string | undefined
    server: string
    /** The file on the host with the root certificate of the authority's own HTTPS. */
    authority: string | undefined
    addresses: readonly string[]
    preflight: boolean
  },
): Script {
  const { email, server, authority, addresses, preflight } = order
  const contact = email === undefined ? ['--register-unsafely-without-email'] : ['--email', email]
  const options = [
    ...['certonly', '--non-interactive', '--agree-tos', '--webroot', '--webroot-path', acmeWebroot],
    ...['--server', server, '--cert-name', name, '--domain', name, '--key-type', 'ecdsa', '--force-renewal'],
  ]
  const { text } = sh`
    ${reloadFunction()}
    # What answers the authority is to run first.
    nginx_reload
    ${preflight ? reachable(name, addresses) : sh`:`}
    ${authority === undefined ? sh`:` : sh`export REQUESTS_CA_BUNDLE=${authority}`}
    certbot ${options} ${contact}
    ${putIntoService(name)}`
  return { text, shown: `certbot ${options.join(' ')}` }
}

/** Installs certbot's certificate of this name: writes it beside the old one, swaps them, and reloads nginx. */
export function putIntoService(name: string): Script {
  const word = name.startsWith('"$') ? { text: name, shown: name } : sh`${name}`
  const { text } = sh`
    ${installPair}
    ${reloadFunction()}
    install_pair ${word} /etc/letsencrypt/live/${word}
    nginx_reload`
  return { text, shown: `install /etc/letsencrypt/live/${name} as ${etcDir}/tls/${name}/current; nginx -s reload` }
}

/** Shell: installs certbot's certificate where it differs from the file of nginx, or nginx serves another one than its file. */
export function putIntoServiceIfNew(name: string): Script {
  return sh`
    ${reloadFunction()}
    live=/etc/letsencrypt/live/${name}
    [ -e "$live/fullchain.pem" ] || exit 0
    if cmp -s "$live/fullchain.pem" ${tlsFolder}/${name}/current/fullchain.pem && nginx_is_current; then exit 0; fi
    ${putIntoService(name)}`
}

const lookup = shellFile(new URL('reachable.sh', import.meta.url))

/**
 * Every address that public DNS has for the name must lead to port 80 of this host. An authority allows five failures an hour,
 * which a host that cannot be reached would use up.
 */
function reachable(name: string, addresses: readonly string[]): Script {
  return sh`
    name=${name} addresses=${addresses.join(' ')}
    ${lookup}`
}
