# shellcheck shell=dash
token=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
challenge=/var/lib/botgarden/acme/.well-known/acme-challenge/botgarden-$token
echo "$token" >"$challenge"
trap 'rm -f "$challenge"' EXIT
found=$(public_addresses "$name")
[ -n "$found" ] || {
  echo "$name has no address: make an A record for it (this host's addresses: $addresses), and run again"
  exit 1
}
bad=''
for address in $found; do
  case $address in *:*) target="[$address]" kind=AAAA ;; *) target=$address kind=A ;; esac
  answer=$(curl --silent --show-error --max-time 10 --resolve "$name:80:$target" "http://$name/.well-known/acme-challenge/botgarden-$token" 2>&1) || :
  [ "$answer" = "$token" ] || {
    bad=yes
    echo "$name: its $kind record says $address, where this host does not answer on port 80: $(printf %s "$answer" | head -c 200 | tr -d '\n')"
  }
done
[ -z "$bad" ] || { echo 'the authority was not asked: mend the DNS record or open port 80, and run again'; exit 1; }
