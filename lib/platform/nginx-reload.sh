# shellcheck shell=dash
# In a shell of its own: its variables are not those of whoever calls it.
nginx_reload() (
  exec 7>>/run/botgarden/nginx.lock
  flock 7
  sum=$(nginx_checksum /opt/botgarden/nginx/conf)
  next=/opt/botgarden/nginx/generations/$sum
  before=$(readlink /opt/botgarden/nginx/running || :)
  if ! nginx_whole "$next"; then
    rm -rf "$next" "$next.new"
    mkdir -p "$next.new"
    cp -R /opt/botgarden/nginx/conf/. "$next.new/"
    printf 'return 200 %s;\n' "$sum" >"$next.new/checksum.conf"
    nginx_files "$next.new" >"$next.new/.files"
    sync -f "$next.new"
    mv -T "$next.new" "$next"
  fi
  runs=$(docker container inspect --format '{{.State.Status}}' botgarden-nginx 2>/dev/null || :)
  # One that starts again and again runs for moments, too.
  case $runs in running | restarting) runs=running; nginx_answers || runs=crashing ;; *) runs= ;; esac
  if [ "$runs" = running ] && ! said=$(docker exec botgarden-nginx nginx -t -q -c "/etc/nginx/generations/$sum/nginx.conf" 2>&1) &&
    ! nginx_is_blind "/etc/nginx/generations/$sum/nginx.conf"; then
    printf '%s\n' "$said" | sed "s#/etc/nginx/generations/$sum/#/opt/botgarden/nginx/conf/#g"
    [ "$before" = "generations/$sum" ] || rm -rf "$next"
    return 1
  fi
  nginx_runs "generations/$sum"
  if [ -n "$runs" ]; then nginx_took || return 1; fi
  for old in /opt/botgarden/nginx/generations/*/; do [ "$old" = "$next/" ] || rm -rf "$old"; done
)
