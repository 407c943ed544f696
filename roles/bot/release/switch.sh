# shellcheck shell=dash
# record_release TAG MEMBERS SECRET…: the moment at which the new version is the one that serves. MEMBERS: further members of a
# JSON object. In $state; the secrets are in $secrets.
record_release() {
  tag=$1 members=$2 sums=''
  shift 2
  for secret; do sums="$sums${sums:+,}\"$secret\":\"$(sha256sum <"$secrets/$secret" | cut -c 1-64)\""; done
  printf '{"id":"%s","secrets":{%s},%s%s}\n' "$(date -u +%Y%m%d-%H%M%S)-$tag" "$sums" "$members" "${dump:+,\"dump\":\"$dump\"}" | tee "$state/current.json.new" >/dev/null
  # Beside it and renamed: a line that is cut would take the next one along. More than 500 nobody goes back.
  { tail -n 499 "$state/releases" 2>/dev/null | sed '$a\'; cat "$state/current.json.new"; } >"$state/releases.new"
  sync "$state/current.json.new" "$state/releases.new"
  mv -fT "$state/releases.new" "$state/releases"
  mv -fT "$state/current.json.new" "$state/current.json"
  # Before any policy follows from it.
  sync "$state"
}
# retire CONTAINER ADDRESS SECONDS: nginx's old workers finish what they have begun; only then is it told to stop.
retire() {
  for second in $(seq "$3"); do
    [ "$second" = 1 ] || [ -n "$(ss -Htn state established dst "$2")" ] || break
    sleep 1
  done
  docker stop --time 20 "$1" >/dev/null 2>&1 || :
  docker rm -f --volumes "$1" >/dev/null 2>&1 || :
}
