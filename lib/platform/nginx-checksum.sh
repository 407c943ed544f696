# shellcheck shell=dash
nginx_files() {
  (cd "${1:?a folder}" && find . -type f ! -name '.*' ! -name checksum.conf -exec sha256sum {} + | LC_ALL=C sort -k 2) | sha256sum
}
nginx_checksum() {
  { nginx_files "$1"; cat /etc/botgarden/tls/*/current/fullchain.pem 2>/dev/null; } | sha256sum | cut -c 1-16
}
nginx_says() { curl --silent --max-time "${1:-5}" --unix-socket /run/botgarden/nginx/status.sock http://localhost/config; }
nginx_answers() {
  begin_wait 3
  while time_left; do
    [ -z "$(nginx_says "$left")" ] || return 0
    sleep 0.1
  done
  return 1
}
nginx_whole() {
  [ -s "$1/checksum.conf" ] && [ "$(nginx_files "$1")" = "$(cat "$1/.files" 2>/dev/null)" ]
}
