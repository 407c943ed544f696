# shellcheck shell=dash
# Runs a job once. What it prints goes to the journal, and how it ended into a file of $results.
job_main() {
  started=$(date +%s)
  if [ "${1:-}" != locked ]; then
    job_await_servers
    (umask 077; mkdir -p "${lock%/*}")
    exec 9>>"$lock"
    # A release is under way: what runs then is the version that serves after it, as this file says by then.
    flock -n 9 || echo 'another job of the bot starts, or a release is under way: waiting for that'
    flock -w 3600 9 || job_end 'not started' 1 "$(echo 'a release of the bot has not ended within an hour' | base64 --wrap=0)"
    exec /bin/sh "$0" locked
  fi
  job_note
  docker rm -f --volumes "$container" >/dev/null 2>&1 || :
  said=$(with_variables docker compose -f "$compose" up --detach --no-build --pull never --quiet-pull 2>&1) || {
    exec 9>&-
    printf '%s\n' "$said"
    docker rm -f --volumes "$container" >/dev/null 2>&1 || :
    job_end 'not started' 1 "$(printf %s "$said" | tail -c 4000 | base64 --wrap=0)"
  }
  exec 9>&-
  job_await
  docker logs --tail 20 "$container" >/dev/null 2>&1 || job_end gone 1 ''
  lines=$(docker logs --tail 20 "$container" 2>&1 | tail -c 4000 | base64 --wrap=0)
  docker rm -f --volumes "$container" >/dev/null 2>&1 || :
  job_end "$how" "$code" "$lines"
}
# After a boot the job may be earlier than the servers that it needs. It is not kept back for ever: then it says itself what it misses.
job_await_servers() {
  begin_wait 60
  for server in $servers; do
    while time_left; do
      [ "$(docker container inspect --format '{{.State.Health.Status}}' "$server" 2>/dev/null)" != healthy ] || break
      sleep 1
    done
  done
}
# job_await: waits for the end of the container, into $how and $code. Its time is over after $limit seconds.
job_await() {
  how=ended code='' stopped=''
  trap 'stopped=yes' TERM INT
  docker logs --follow "$container" 2>&1 &
  follower=$!
  begin_wait "$limit"
  while [ -z "$stopped" ] && time_left; do
    code=$(timeout "$left" docker wait "$container" 2>/dev/null) && [ -n "$code" ] && break
    code=''
    # Where the engine itself is away, it is asked again.
    docker version >/dev/null 2>&1 && ! docker container inspect "$container" >/dev/null 2>&1 && break
    [ -n "$stopped" ] || sleep 1
  done
  if [ -z "$code" ]; then
    how=timeout
    [ -z "$stopped" ] || how=stopped
    docker stop --time 20 "$container" >/dev/null 2>&1 || :
    code=$(docker container inspect --format '{{.State.ExitCode}}' "$container" 2>/dev/null) || code=1
  elif [ "$(docker container inspect --format '{{.State.OOMKilled}}' "$container" 2>/dev/null)" = true ]; then
    how=memory
  fi
  # It ends with the container.
  wait "$follower" || :
}
# job_end HOW CODE LINES: records the end and exits. LINES is base64.
job_end() {
  now=$(date +%s)
  job_note ",\"seconds\":$((now - started)),\"how\":\"$1\",\"code\":$2,\"lines\":\"$3\""
  echo "botgarden: the job $job of $bot: $1, exit code $2, $((now - started)) s"
  [ "$1" != ended ] || exit "$2"
  exit 1
}
# job_note [MEMBERS]: a job that is no longer one of the bot leaves no record.
job_note() {
  [ -e "$0" ] || return 0
  (umask 077; mkdir -p "$results")
  printf '{"start":%s,"image":"%s"%s}\n' "$started" "$image" "${1:-}" >"$results/$job.json.new" &&
    mv -fT "$results/$job.json.new" "$results/$job.json"
}
job_main "$@"
