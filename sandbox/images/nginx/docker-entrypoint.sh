#!/bin/sh
# As in the official image, the scripts in /docker-entrypoint.d run first; its templates with variables are left out.
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
