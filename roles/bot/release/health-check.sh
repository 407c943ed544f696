# shellcheck shell=dash
# Of the container $new, at $address of $network: it answers at $url where that is not empty, and has $patience seconds for it.
running() { [ "$(docker container inspect --format '{{.State.Running}} {{.RestartCount}}' "$new" 2>/dev/null)" = 'true 0' ]; }
# healthy SECONDS: within so many, and not more than five.
healthy() {
  running || { last='it does not run'; return 1; }
  [ -n "$url" ] || return 0
  last=$(curl --silent --show-error --output /dev/null --max-time "$(($1 < 5 ? $1 : 5))" --write-out '%{http_code}' "$url" 2>&1) && case $last in 2*) return 0 ;; esac
  return 1
}
await_health() {
  begin_wait "$patience"
  while time_left; do
    ! healthy "$left" || return 0
    running || { sleep 1; running || { echo "$new ended before it was ready"; return 1; }; }
    sleep 1
  done
  echo "$((patience - left)) s have not been enough for it to be ready"
  return 1
}
# settle SECONDS: it stays up for so long.
settle() {
  begin_wait "$1"
  while time_left; do
    sleep 1
    running || { time_left || :; echo "$new ended $(($1 - left)) s after it was ready"; return 1; }
  done
  healthy 5 || { echo "$new was ready, and is no more"; return 1; }
}
# report CONTAINER: everything that tells why it is not what it should be.
report() {
  docker container inspect --format '{{.Name}}: {{.State.Status}}, exit code {{.State.ExitCode}}, out of memory: {{.State.OOMKilled}}, restarts {{.RestartCount}}' "$1" || :
  [ -z "$last" ] || echo "its last answer to $url: $last"
  echo 'its last lines:'
  docker logs --tail 40 "$1" 2>&1 || :
}
# Docker says only that an address is in use.
report_holder() {
  holder=$(docker network inspect --format '{{range .Containers}}{{.IPv4Address}} {{println .Name}}{{end}}' "$network" | sed -n "s#^$address/[0-9]* ##p" | grep -vxF -e "$new" || :)
  [ -z "$holder" ] || echo "$address is this version's, and the container $holder has it: docker rm -f $holder"
}
