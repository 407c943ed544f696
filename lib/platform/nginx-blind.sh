# shellcheck shell=dash
nginx_is_blind() {
  for seen in "$1" $(ls -d /etc/botgarden/tls/*/current 2>/dev/null); do
    docker exec botgarden-nginx test -e "$seen" || { runs=crashing; return 0; }
  done
  return 1
}
