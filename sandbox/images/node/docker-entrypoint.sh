#!/bin/sh
# As in the official image: options and scripts go to node, anything that is a command runs as it is.
set -e

case ${1:-} in
  -* | '') set -- node "$@" ;;
  *) command -v "$1" >/dev/null && ! { [ -f "$1" ] && ! [ -x "$1" ]; } || set -- node "$@" ;;
esac

exec "$@"
