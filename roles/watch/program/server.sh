# shellcheck shell=dash
# What nginx and PostgreSQL have said since the last run, and which configuration nginx runs.
watch_server() {
  [ -e /opt/botgarden/nginx/compose.yaml ] || return 0
  [ -e "$run/requests" ] || : >"$run/requests"
  : >"$run/requests.new"
  log_of botgarden-postgres | grep -a 'FATAL:' >"$run/refused"
  log_of botgarden-nginx | awk -v now="$now" -v percent="$error_percent" -v bots="$bots" -v notes="$run/requests.new" -f "$home/requests.awk" \
    part=notes "$run/requests" part=postgres "$run/refused" part=nginx - >"$run/failing"
  mv -f "$run/requests.new" "$run/requests"
  refused=''
  while read -r what all failed; do
    case $what in
    @config) refused="$all $failed" ;;
    @connections)
      bad connections "PostgreSQL has refused $failed connections within 5 minutes: too many are open" \
        "on the host: docker exec botgarden-postgres psql -U postgres -c 'select usename, state, count(*) from pg_stat_activity group by 1, 2'"
      ;;
    @pages) bad errors:pages "$failed of $all requests of pages ended with 5xx within 5 minutes" 'npx zx playbooks/site.ts' ;;
    *) bad "errors:$what" "$what: $failed of $all updates were answered with 5xx within 5 minutes" "npx zx playbooks/bot.ts --name $what --logs" ;;
    esac
  done <"$run/failing"
  if [ -n "$refused" ]; then bad nginx "nginx refuses its configuration: $refused" 'npx zx playbooks/site.ts --tags nginx'
  else server_runs; fi
}
# log_of CONTAINER: its last lines, each behind some bytes of Docker's.
log_of() {
  printf 'url = "http://docker/containers/%s/logs?stdout=1&stderr=1&tail=5000&since=%s&until=%s"\n' "$1" "$last" "$now" |
    curl --silent --globoff --max-time 20 --unix-socket /run/docker.sock --config - | tr -d '\000'
}
# Whether it runs what is in its folder of configuration: where that was refused, it goes on with the one before.
server_runs() {
  if busy; then
    unknown nginx
    return
  fi
  runs_other || return 0
  # Certificates are put there a moment before it reloads.
  sleep 5
  ! runs_other || bad nginx 'nginx does not run the configuration in /opt/botgarden/nginx/conf: it was refused, or not loaded' \
    'npx zx playbooks/site.ts --tags nginx'
}
runs_other() {
  [ -e /opt/botgarden/nginx/running ] || return 1
  says=$(nginx_says)
  # One that is down is told by its container.
  [ -n "$says" ] || {
    unknown nginx
    return 1
  }
  [ "$says" != "$(nginx_checksum /opt/botgarden/nginx/conf)" ]
}
