# shellcheck shell=dash
# Restores the dump $dump into a database of its own, in the server $server.

# sql TEXT [DATABASE]: PGOPTIONS override session defaults that the owner of a database can set.
sql() { printf '%s\n' "$1" | docker exec -i -e PGOPTIONS='-c client_min_messages=warning -c search_path= -c role=none' "$server" psql -XqAt -v ON_ERROR_STOP=1 -v VERBOSITY=terse -U postgres -d "${2:-postgres}"; }
# drop_database DATABASE: drops it if it exists.
drop_database() {
  [ "$(sql "select count(*) from pg_database where datname = '$1'")" != 1 ] || sql "alter database \"$1\" is_template false;"
  sql "drop database if exists \"$1\" with (force);"
}
# Creates the database for the dump, and the role that restores it, which has no other rights.
create_restoring() {
  password=$(head -c 24 /dev/urandom | base64 | tr -d '/+=')
  drop_database botgarden-restoring
  sql 'drop role if exists "botgarden-reader";'
  sql "create role \"botgarden-reader\" login nosuperuser nocreatedb nocreaterole password '$password';"
  sql 'create database "botgarden-restoring" owner "botgarden-reader" template template0;'
  sql 'revoke all on database "botgarden-restoring" from public;'
  printf '*:*:*:%s:%s\n' botgarden-reader "$password" | docker exec -i "$server" sh -c 'umask 077; cat >/tmp/restoring.pgpass'
}
# Starts pg_restore as the process $restore_pid; its output is in $dump.counts.
start_restore() {
  docker exec -i -e PGPASSFILE=/tmp/restoring.pgpass "$server" pg_restore --username=botgarden-reader --dbname=botgarden-restoring \
    --no-owner --no-privileges --exit-on-error --single-transaction <"$dump" >"$dump.counts" 2>&1 &
  restore_pid=$!
}
# compare_rows QUERY WANTED: exits with 1 unless the row counts are those of the backup.
compare_rows() {
  printf '%s\n' "$1" | docker exec -i -e PGPASSFILE=/tmp/restoring.pgpass "$server" psql -XqAt -v ON_ERROR_STOP=1 -U botgarden-reader -d botgarden-restoring >"$dump.counts"
  printf %s "$2" >"$dump.wanted"
  cmp -s "$dump.counts" "$dump.wanted" || { echo 'the restored row counts (+) differ from those of the backup (-):'; diff -U 0 "$dump.wanted" "$dump.counts" | tail -n +4 | head -n 20; exit 1; }
}
