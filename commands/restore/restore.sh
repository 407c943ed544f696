# shellcheck shell=dash
# How the dump $dump comes into a database of its own, in the server $server.

# sql TEXT [DATABASE]: what a database says of its sessions, as its owner may have it, is not heeded by these.
sql() { printf '%s\n' "$1" | docker exec -i -e PGOPTIONS='-c client_min_messages=warning -c search_path= -c role=none' "$server" psql -XqAt -v ON_ERROR_STOP=1 -v VERBOSITY=terse -U postgres -d "${2:-postgres}"; }
# forget DATABASE: drops it, if it is there.
forget() {
  [ "$(sql "select count(*) from pg_database where datname = '$1'")" != 1 ] || sql "alter database \"$1\" is_template false;"
  sql "drop database if exists \"$1\" with (force);"
}
# The database that the dump is read into, and the role that reads it: it has nothing else.
make_place() {
  password=$(head -c 24 /dev/urandom | base64 | tr -d '/+=')
  forget botgarden-restoring
  sql 'drop role if exists "botgarden-reader";'
  sql "create role \"botgarden-reader\" login nosuperuser nocreatedb nocreaterole password '$password';"
  sql 'create database "botgarden-restoring" owner "botgarden-reader" template template0;'
  sql 'revoke all on database "botgarden-restoring" from public;'
  printf '*:*:*:%s:%s\n' botgarden-reader "$password" | docker exec -i "$server" sh -c 'umask 077; cat >/tmp/restoring.pgpass'
}
# $reading is the process that reads the dump; what it says is in $dump.counts.
begin_reading() {
  docker exec -i -e PGPASSFILE=/tmp/restoring.pgpass "$server" pg_restore --username=botgarden-reader --dbname=botgarden-restoring \
    --no-owner --no-privileges --exit-on-error --single-transaction <"$dump" >"$dump.counts" 2>&1 &
  reading=$!
}
# compare_rows QUERY WANTED: the rows of each table are those that were counted when the dump was taken.
compare_rows() {
  printf '%s\n' "$1" | docker exec -i -e PGPASSFILE=/tmp/restoring.pgpass "$server" psql -XqAt -v ON_ERROR_STOP=1 -U botgarden-reader -d botgarden-restoring >"$dump.counts"
  printf %s "$2" >"$dump.wanted"
  cmp -s "$dump.counts" "$dump.wanted" || { echo 'not the rows that were counted when it was taken (-), but (+):'; diff -U 0 "$dump.wanted" "$dump.counts" | tail -n +4 | head -n 20; exit 1; }
}
