# shellcheck shell=dash
# Checks of the container $new, at $address of the network $network. With a $url it must answer 2xx there, within $ready_timeout seconds.
running() { [ "$(docker container inspect --format '{{.State.Running}} {{.RestartCount}}' "$new" 2>/dev/null)" = 'true 0' ]; }
# healthy SECONDS: one check, which may take so long, but at most five seconds.
healthy() {
  running || { last='it is not running'; return 1; }
  [ -n "$url" ] || return 0
  last=$(curl --silent --show-error --output /dev/null --max-time "$(($1 < 5 ? $1 : 5))" --write-out '%{http_code}' "$url" 2>&1) && case $last in 2*) return 0 ;; esac
  return 1
}
await_health() {
  begin_wait "$ready_timeout"
  while time_left; do
    ! healthy "$left" || return 0
    running || { sleep 1; running || { echo "$new exited before it was ready"; return 1; }; }
    sleep 1
  done
  echo "$new was not ready within $((ready_timeout - left)) s"
  return 1
}
# settle SECONDS: the container keeps running for so long.
settle() {
  begin_wait "$1"
  while time_left; do
    sleep 1
    running || { time_left || :; echo "$new exited $(($1 - left)) s after it became ready"; return 1; }
  done
  healthy 5 || { echo "$new was ready and no longer answers"; return 1; }
}
# report CONTAINER: prints its state and what may mend it, and keeps its last log lines for `report_log`.
report() {
  seen=$(docker container inspect --format '{{.Name}}: {{.State.Status}}, exit code {{.State.ExitCode}}, out of memory: {{.State.OOMKilled}}, restarts {{.RestartCount}}' "$1" 2>&1) || :
  words=$(docker logs --tail 40 "$1" 2>&1) || :
  printf '%s\n' "$seen"
  [ -z "$last" ] || echo "last response from $url: $last"
  advise
}
report_log() { printf '%s\n' 'last log lines:' "$words"; }
# Prints which container uses the address: Docker itself says only that it is in use.
report_holder() {
  holder=$(docker network inspect --format '{{range .Containers}}{{.IPv4Address}} {{println .Name}}{{end}}' "$network" | sed -n "s#^$address/[0-9]* ##p" | grep -vxF -e "$new" || :)
  [ -z "$holder" ] || echo "the address $address of $new is used by the container $holder: docker rm -f $holder"
}
