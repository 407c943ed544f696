import { installPair, tlsFolder } from '../../lib/certificate.ts'
import { acmeWebroot, reloadFunction } from '../../lib/nginx.ts'
import { type Script, sh } from '../../lib/sh.ts'

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
  return { text, shown: `install /etc/letsencrypt/live/${name} as /etc/botgarden/tls/${name}/current; nginx -s reload` }
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

/**
 * Every address that the world's DNS has for the name must lead to this host's port 80. An authority counts failures, five an
 * hour, and a host that cannot be reached would use them up.
 */
function reachable(name: string, addresses: readonly string[]): Script {
  return sh`
    token=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
    challenge=${acmeWebroot}/.well-known/acme-challenge/botgarden-$token
    echo "$token" >"$challenge"
    trap 'rm -f "$challenge"' EXIT
    # Past /etc/hosts, which knows the host's own name; where systemd-resolved answers, that is its own to say.
    if systemctl is-active --quiet systemd-resolved 2>/dev/null; then
      found=$(resolvectl query --synthesize=no --legend=no -- ${name} 2>/dev/null | tr -s ' \t' '\n' | grep -xE '[0-9]+(\.[0-9]+){3}|[0-9a-f:]+:[0-9a-f:]*' | sort -u) || :
    else
      found=$(getent -s dns ahosts ${name} | awk '{ print $1 }' | sort -u)
    fi
    [ -n "$found" ] || {
      echo ${`${name} has no address: make an A record for it (this host's addresses: ${addresses.join(' ')}), and run again`}
      exit 1
    }
    bad=
    for address in $found; do
      case $address in *:*) target="[$address]" kind=AAAA ;; *) target=$address kind=A ;; esac
      answer=$(curl --silent --show-error --max-time 10 --resolve ${name}:80:"$target" ${`http://${name}/.well-known/acme-challenge/botgarden-`}"$token" 2>&1) || :
      [ "$answer" = "$token" ] || {
        bad=yes
        echo ${name}": its $kind record says $address, where this host does not answer on port 80: $(printf %s "$answer" | head -c 200 | tr -d '\n')"
      }
    done
    [ -z "$bad" ] || { echo 'the authority was not asked: mend the DNS record or open port 80, and run again'; exit 1; }`
}
