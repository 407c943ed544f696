# shellcheck shell=dash
# Switches of several bots may run side by side. Files change while no reload copies the configuration, and one reload brings
# into force what all of them have written until then. What follows takes words by three: FILE BASE64 SHA256, where the last two
# are empty for a file that is not to be there.
route_set() {
  { route_write "$@" && between_reloads route_move "$@"; } || { route_forget "$@"; return 1; }
  route_load
}
# Joined by &&, since `set -e` is off in a function called with ||: half a file must not become configuration.
route_write() {
  while [ $# -gt 0 ]; do
    [ -z "$2" ] || {
      printf %s "$2" | base64 -d | tee "$1.new" >/dev/null && [ "$(sha256sum <"$1.new" | cut -c 1-64)" = "$3" ]
    } || return 1
    shift 3
  done
}
route_move() {
  while [ $# -gt 0 ]; do
    if [ -n "$2" ]; then mv -fT "$1.new" "$1" || return 1; else rm -f "$1" || return 1; fi
    shift 3
  done
}
route_forget() {
  while [ $# -gt 0 ]; do
    rm -f "$1.new"
    shift 3
  done
}
# nginx runs these files. They alone are no proof: an interruption before the reload leaves nginx with the old ones.
route_is() {
  route_loaded=:
  while [ $# -gt 0 ]; do
    if [ -z "$3" ]; then
      [ ! -e "$1" ] || return 1
    else
      [ "$(sha256sum 2>/dev/null <"$1" | cut -c 1-64)" = "$3" ] || return 1
      route_loaded=nginx_is_current
    fi
    shift 3
  done
  "$route_loaded"
}
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
