# shellcheck shell=dash
# Switches of several bots may run side by side. A file changes while no reload copies the configuration, and one reload brings
# into force what all of them have written until then.
route_install() {
  # Joined by &&, since `set -e` is off in a function called with ||: half a file must not become configuration.
  { printf %s "$1" | base64 -d | tee "$route_file.new" >/dev/null &&
    [ "$(sha256sum <"$route_file.new" | cut -c 1-64)" = "$2" ] &&
    between_reloads mv -fT "$route_file.new" "$route_file"; } || { rm -f "$route_file.new"; return 1; }
  route_load
}
# route_is SHA256: nginx runs this file. The file alone is no proof: an interruption before the reload leaves nginx with the old one.
route_is() { [ "$(sha256sum 2>/dev/null <"$route_file" | cut -c 1-64)" = "$1" ] && nginx_is_current; }
route_remove() { between_reloads rm -f "$route_file" && route_load; }
# By the lock of nginx_reload itself.
between_reloads() (
  flock 7
  "$@"
) 7>>/run/botgarden/nginx.lock
# A lock of its own: nginx_reload takes the other one.
route_load() (
  flock 6
  nginx_is_current || nginx_reload
) 6>>/run/botgarden/route.lock
