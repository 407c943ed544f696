# shellcheck shell=dash
# remove_containers CONTAINER...: stops and removes them; what they have printed is kept.
remove_containers() {
  for container_gone; do keep_log "$container_gone"; done
  docker rm -f --volumes "$@" >/dev/null 2>&1 || :
}
# keep_log CONTAINER: adds its log to the one that outlasts it, a file for each process, with the time and the container before
# each line. Of one that grows beyond 10 MB the last 8 are kept. It may not fail a release.
keep_log() {
  kept=$kept_logs/${1%-*}.log
  (
    umask 077
    mkdir -p "$kept_logs"
    timeout 60 docker logs --timestamps "$1" 2>&1 | sed -n "/^[0-9]\{4\}-[0-9-]*T[0-9:.]*Z /s/ / $1 /p" >>"$kept"
    [ "$(wc -c <"$kept")" -le 10000000 ] || {
      tail -c 8000000 "$kept" >"$kept.new" && mv -fT "$kept.new" "$kept"
    }
  ) >/dev/null 2>&1 || :
}
