# shellcheck shell=dash
# route_install BASE64 SHA256: writes this text to the nginx file of the bot, $route_file, and reloads nginx.
route_install() {
  # Joined by &&, since `set -e` is off in a function called with ||: half a file must not become configuration.
  { printf %s "$1" | base64 -d | tee "$route_file.new" >/dev/null &&
    [ "$(sha256sum <"$route_file.new" | cut -c 1-64)" = "$2" ] &&
    mv -fT "$route_file.new" "$route_file"; } || { rm -f "$route_file.new"; return 1; }
  nginx_reload
}
# route_is SHA256: nginx runs this file. The file alone is no proof: an interruption before the reload leaves nginx with the old one.
route_is() { [ "$(sha256sum 2>/dev/null <"$route_file" | cut -c 1-64)" = "$1" ] && nginx_is_current; }
route_remove() { rm -f "$route_file" && nginx_reload; }
