#!/usr/bin/env bash
# What the official image does before its server runs: settings from files, a step down from root, and in an empty data
# directory the first start, with a server that only its own scripts can reach.
set -euo pipefail

main() {
  [[ ${1:-} == -* ]] && set -- postgres "$@"
  if [[ ${1:-} == postgres ]] && ! only_asks "$@"; then
    settings
    directories
    [[ $(id -u) != 0 ]] || step_down "$@"
    [[ -s $PGDATA/PG_VERSION ]] || first_start "${@:2}"
  fi
  exec "$@"
}

only_asks() {
  for word; do
    case $word in -\? | --help | --describe-config | -V | --version) return 0 ;; esac
  done
  return 1
}

settings() {
  from_file POSTGRES_PASSWORD
  from_file POSTGRES_USER postgres
  from_file POSTGRES_DB "$POSTGRES_USER"
  from_file POSTGRES_INITDB_ARGS
}

# Takes NAME from the environment, else from the file that NAME_FILE names, else the default.
from_file() {
  local name=$1 file=$1_FILE
  [[ -z ${!name:-} || -z ${!file:-} ]] || fail "both $name and $file are set"
  local value=${!name:-${2:-}}
  [[ -z ${!file:-} ]] || value=$(<"${!file}")
  export "$name=$value"
  unset "$file"
}

step_down() {
  mkdir -p "$PGDATA" /var/run/postgresql
  find "$PGDATA" /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
  HOME=/var/lib/postgresql exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
}

# For the user that runs it, at every start.
directories() {
  mkdir -p "$PGDATA" /var/run/postgresql
  chmod 00700 "$PGDATA" || :
  chmod 03775 /var/run/postgresql || :
}

first_start() {
  # The mount point of versions before 18: the data would land beside it and be gone with the container.
  ! grep -q ' /var/lib/postgresql/data ' /proc/self/mountinfo ||
    fail 'a volume is mounted on /var/lib/postgresql/data: mount it on /var/lib/postgresql'
  local method=${POSTGRES_HOST_AUTH_METHOD:-}
  [[ -n $POSTGRES_PASSWORD || $method == trust ]] ||
    fail 'the superuser has no password: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE to something that is not empty'

  mkdir -p -m 700 "$PGDATA"
  local words
  eval "words=($POSTGRES_INITDB_ARGS)"
  initdb -D "$PGDATA" --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") "${words[@]}"
  printf '\nhost all all all %s\n' "${method:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"

  # The command's own arguments count here already: the access rules that it names hold from the first moment.
  pg_ctl -D "$PGDATA" -o "$(printf '%q ' "$@" -c listen_addresses= -p "${PGPORT:-5432}")" -w start
  export PGPASSWORD=$POSTGRES_PASSWORD
  [[ $POSTGRES_DB == postgres ]] || sql --dbname=postgres --set=db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
  local file
  for file in /docker-entrypoint-initdb.d/*; do init_with "$file"; done
  unset PGPASSWORD
  pg_ctl -D "$PGDATA" -m fast -w stop
}

init_with() {
  case $1 in
    *.sh) if [[ -x $1 ]]; then "$1"; else . "$1"; fi ;;
    *.sql) sql --dbname="$POSTGRES_DB" -f "$1" ;;
    *.sql.gz) gunzip -c "$1" | sql --dbname="$POSTGRES_DB" ;;
  esac
}

sql() {
  PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password --username="$POSTGRES_USER" "$@"
}

fail() {
  echo "error: $1" >&2
  exit 1
}

main "$@"
