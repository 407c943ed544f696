#!/bin/sh
# As in the official image, what lies in /docker-entrypoint.d runs first; its templates with variables are left out.
set -e

if [ "$1" = nginx ]; then
  for script in /docker-entrypoint.d/*; do
    case $script in
      *.envsh) . "$script" ;;
      *.sh) [ ! -x "$script" ] || "$script" ;;
    esac
  done
fi

exec "$@"
