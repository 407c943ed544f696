# shellcheck shell=dash
nginx_is_current() {
  [ "$(nginx_says)" = "$(nginx_checksum /opt/botgarden/nginx/conf)" ]
}
nginx_runs() {
  ln -sfn "$1" /opt/botgarden/nginx/running.new
  mv -fT /opt/botgarden/nginx/running.new /opt/botgarden/nginx/running
}
nginx_workers() {
  master=$(docker container inspect --format '{{.State.Pid}}' botgarden-nginx)
  grep -ls "^PPid:.$master$" /proc/[0-9]*/status | sed 's/status$/cmdline/'
}
nginx_took() {
  former=
  [ "$runs" != running ] || former=$(nginx_workers)
  # Not by docker kill: for the engine that is a container that somebody has stopped, and no boot brings it back.
  if [ "$runs" = running ]; then docker exec botgarden-nginx sh -c 'kill -HUP 1'; else docker restart botgarden-nginx >/dev/null; fi
  begin_wait 15
  while time_left; do
    # Beside a new worker the former ones go on taking connections, until they are told to end.
    [ "$(nginx_says "$left")" != "$sum" ] ||
      { [ -n "$former" ] && [ -n "$(grep -Ls 'shutting down' $former)" ]; } || return 0
    sleep 0.1
  done
  echo 'nginx was told to reload, and goes on as it was:'
  docker logs --tail 5 botgarden-nginx 2>&1
  # What it goes on with is what it starts with after a boot, too.
  [ -z "$before" ] || [ "$before" = "generations/$sum" ] || nginx_runs "$before"
  return 1
}
