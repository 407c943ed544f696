# shellcheck shell=dash
# record_release TAG MEMBERS SECRET…: makes the new version the serving one. MEMBERS are further members of the
# JSON object. Writes to the folder $state; the files of the secrets are in $secrets.
record_release() {
  tag=$1 members=$2 sums=''
  shift 2
  for secret; do sums="$sums${sums:+,}\"$secret\":\"$(sha256sum <"$secrets/$secret" | cut -c 1-64)\""; done
  printf '{"id":"%s","secrets":{%s},%s%s}\n' "$(date -u +%Y%m%d-%H%M%S)-$tag" "$sums" "$members" "${dump:+,\"dump\":\"$dump\"}${copy:+,\"copy\":\"$copy\"}" | tee "$state/current.json.new" >/dev/null
  # Written beside it and renamed, since an incomplete line would spoil the next one. 500 releases are kept.
  { tail -n 499 "$state/releases" 2>/dev/null | sed '$a\'; cat "$state/current.json.new"; } >"$state/releases.new"
  sync "$state/current.json.new" "$state/releases.new"
  mv -fT "$state/releases.new" "$state/releases"
  mv -fT "$state/current.json.new" "$state/current.json"
  # On the disk before restart policies change by it.
  sync "$state"
}
# retire CONTAINER ADDRESS SECONDS: waits until the old workers of nginx have finished, at most so long, then removes the container.
retire() {
  for second in $(seq "$3"); do
    [ "$second" = 1 ] || [ -n "$(ss -Htn state established dst "$2")" ] || break
    sleep 1
  done
  docker stop --time 20 "$1" >/dev/null 2>&1 || :
  remove_containers "$1"
}
