import { etcDir } from '../../lib/model/host-layout.ts'
import { installPair, tlsFolder } from '../../lib/platform/certificate.ts'
import { acmeWebroot, reloadFunction } from '../../lib/platform/nginx.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'

/** How an authority is asked for a certificate. */
export interface Order {
  readonly email: string | undefined
  /** The URL of its directory. */
  readonly server: string
  /** The file on the host with the root certificate of the authority's own HTTPS. */
  readonly authority: string | undefined
  /** The addresses of the host, for the error that says how to set up DNS. */
  readonly addresses: readonly string[]
  readonly preflight: boolean
}

/** Requests a certificate from an authority, after the host has made the same check by HTTP itself. */
export function issue(name: string, order: Order): Script {
  const { authority, addresses, preflight } = order
  const { text } = sh`
    ${reloadFunction()}
    # What answers the authority is to run first.
    nginx_reload
    ${preflight ? withAddresses(reachable(name, addresses)) : sh`:`}
    ${authority === undefined ? sh`:` : sh`export REQUESTS_CA_BUNDLE=${authority}`}
    certbot ${certonly(name, order)}
    ${putIntoService(name)}`
  return { text, shown: shownOf(name, order) }
}

/** The same for a name that nothing else depends on: a failure is noted on the host, and the script ends well. */
export function tryToIssue(name: string, order: Order, run: string): Script {
  const { authority, addresses, preflight } = order
  const { text } = sh`
    ${reloadFunction()}
    nginx_reload
    ${publicAddresses}
    ask_authority() (
      ${authority === undefined ? sh`:` : sh`export REQUESTS_CA_BUNDLE=${authority}`}
      { ${preflight ? sh`(${reachable(name, addresses)})` : sh`:`}; } && certbot ${certonly(name, order)}
    )
    ${request}
    name=${name} run=${run}
    if request_certificate; then
      ${putIntoService(name)}
    fi`
  return { text, shown: shownOf(name, order) }
}

function certonly(name: string, { email, server }: Order): readonly string[] {
  return [
    ...['certonly', '--non-interactive', '--agree-tos', '--webroot', '--webroot-path', acmeWebroot],
    ...['--server', server, '--cert-name', name, '--domain', name, '--key-type', 'ecdsa', '--force-renewal'],
    ...(email === undefined ? ['--register-unsafely-without-email'] : ['--email', email]),
  ]
}

/** Without the address for mail. */
function shownOf(name: string, order: Order): string {
  return `certbot ${certonly(name, { ...order, email: undefined })
    .slice(0, -1)
    .join(' ')}`
}

/** Installs certbot's certificate of this name: writes it beside the old one, swaps them, and reloads nginx. */
export function putIntoService(name: string): Script {
  const word = wordOf(name)
  const { text } = sh`
    ${installPair}
    ${reloadFunction()}
    install_pair ${word} /etc/letsencrypt/live/${word}
    nginx_reload`
  return { text, shown: `install /etc/letsencrypt/live/${name} as ${etcDir}/tls/${name}/current; nginx -s reload` }
}

/** Shell: installs certbot's certificate where it differs from the file of nginx, or nginx serves another one than its file. */
export function putIntoServiceIfNew(name: string): Script {
  const word = wordOf(name)
  return sh`
    ${reloadFunction()}
    live=/etc/letsencrypt/live/${word}
    [ -e "$live/fullchain.pem" ] || exit 0
    if cmp -s "$live/fullchain.pem" ${tlsFolder}/${word}/current/fullchain.pem && nginx_is_current; then exit 0; fi
    ${putIntoService(name)}`
}

/** The same for several names, each in a process of its own: what one cannot do, the others do. */
export function eachIntoService(names: readonly string[]): Script {
  return sh`
    if [ $# = 0 ]; then
      failed=0
      for name in ${names}; do
        [ ! -d ${tlsFolder}/"$name" ] || "$0" "$name" || failed=1
      done
      exit $failed
    fi
    name=$1
    ${putIntoServiceIfNew('"$name"')}`
}

/** A name as a word of shell: itself, or the variable that holds it. */
function wordOf(name: string): Script {
  return name.startsWith('"$') ? { text: name, shown: name } : sh`${name}`
}

const lookup = shellFile(new URL('reachable.sh', import.meta.url))
const request = shellFile(new URL('request.sh', import.meta.url))
/** Shell function: `public_addresses NAME` prints what public DNS has for a name, a line each, sorted. */
export const publicAddresses = shellFile(new URL('public-addresses.sh', import.meta.url))

function withAddresses(script: Script): Script {
  return sh`
    ${publicAddresses}
    ${script}`
}

/**
 * Every address that public DNS has for the name must lead to port 80 of this host. An authority allows five failures an hour,
 * which a host that cannot be reached would use up.
 */
function reachable(name: string, addresses: readonly string[]): Script {
  return sh`
    name=${name} addresses=${addresses.join(' ')}
    ${lookup}`
}
