#!/bin/sh
# As in the official image: options and a configuration go to the server, which never runs as root, and what it writes is its own.
set -e

case ${1:-} in
  -* | *.conf) set -- valkey-server "$@" ;;
esac

if [ "$1" = valkey-server ] && [ "$(id -u)" = 0 ]; then
  find . ! -user valkey -exec chown valkey '{}' +
  exec setpriv --reuid=valkey --regid=valkey --init-groups "$0" "$@"
fi

[ "$(umask)" != 0022 ] || umask 0077

# The official server is built to let others in without a password unless it is told otherwise. Said first, so that any
# option wins; a configuration comes before the options, and has to be looked into.
if [ "$1" = valkey-server ]; then
  shift
  case ${1:-} in
    -v | --version | -h | --help | --test-memory | --check-system) ;;
    '' | -*) set -- --protected-mode no "$@" ;;
    *)
      file=$1
      shift
      grep -qs '^ *protected-mode' "$file" || set -- --protected-mode no "$@"
      set -- "$file" "$@"
      ;;
  esac
  set -- valkey-server "$@"
fi

exec "$@"
