import { etcDir } from '../../lib/model/host-layout.ts'
import { installPair, tlsFolder } from '../../lib/platform/certificate.ts'
import { acmeWebroot, reloadFunction } from '../../lib/platform/nginx.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'

/** Asks an authority for a certificate, after the host has asked itself what the authority is going to ask. */
export function issue(
  name: string,
  order: {
    email: string | undefined
    server: string
    /** The file on the host that the authority's HTTPS is verified by. */
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

/** Puts certbot's certificate of this name into service: beside the old one, then in its place, then nginx reads it. */
export function putIntoService(name: string): Script {
  const word = name.startsWith('"$') ? { text: name, shown: name } : sh`${name}`
  const { text } = sh`
    ${installPair}
    ${reloadFunction()}
    install_pair ${word} /etc/letsencrypt/live/${word}
    nginx_reload`
  return { text, shown: `install /etc/letsencrypt/live/${name} as ${etcDir}/tls/${name}/current; nginx -s reload` }
}

/** The same, where what nginx has is not what certbot has, or not what stands on the disk. */
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
 * Every address that the world's DNS has for the name must lead to this host's port 80. An authority counts failures, five an
 * hour, and a host that cannot be reached would use them up.
 */
function reachable(name: string, addresses: readonly string[]): Script {
  return sh`
    name=${name} addresses=${addresses.join(' ')}
    ${lookup}`
}
