# shellcheck shell=dash
# Moves every database from the server $server, of version $old, to a new cluster of version $new beside it, and has that serve.
move() {
  # The image that was pulled for it may have taken the room that there was.
  needed=$((2 * $(du -sm "$data/$old" | cut -f 1) + reserve))
  free=$(df --output=avail -m "$data" | tail -n 1 | tr -d ' ')
  [ "$free" -ge "$needed" ] || { echo "the move needs $needed MiB of disk, and $free MiB are free: nothing was changed"; exit 1; }
  install -d -m 0700 -o 999 -g 999 "$data/$new.new" "$data/$new.new/dumps"
  start_beside
  plain_names
  stop_bots
  echo 'the bots are stopped, and their updates wait at Telegram'
  lock_writes
  sql "$server" "select format('create role %I login;', rolname) from pg_roles where rolname !~ '^pg_' and rolname <> 'postgres'" >"$work/roles"
  sql "$beside" "$(cat "$work/roles")"
  n=0
  while IFS= read -r database <&4; do
    n=$((n + 1))
    copy_database "$database" "$n"
  done 4<"$work/databases"
  # Last: what a role has been given must not hinder its own restore.
  beside pg_dumpall --host /run/before --username postgres --roles-only >"$work/globals.all"
  sed '/^CREATE ROLE /d' "$work/globals.all" >"$work/globals"
  beside psql -XqAt -v ON_ERROR_STOP=1 -U postgres <"$work/globals"
  sql "$server" "$access_query" >"$work/access"
  sql "$beside" "$(cat "$work/access")"
  beside vacuumdb --quiet --username postgres --all --analyze-only
  compare
  still_locked
}
# beside COMMAND...: runs it in the new server's container, with the tools of the new version.
beside() { docker exec -i -e PGOPTIONS="$plain" "$beside" "$@"; }
# plain_names: the databases, into a file. A name that programs would take for more than a name is refused.
plain_names() {
  sql "$server" "select format('alter database %I with is_template false allow_connections true connection limit -1;', datname) from pg_database where datname not in ('template0', 'template1') and (datistemplate or not datallowconn)" >"$work/barred"
  sql "$server" "$(cat "$work/barred")"
  sql "$server" "select datname from pg_database where datname <> 'template0' order by datname" >"$work/databases"
  strange=$(LC_ALL=C grep -vxE '[A-Za-z_][A-Za-z0-9_ .-]{0,62}' "$work/databases" || :)
  [ -z "$strange" ] || { printf '%s\n' 'no database can be moved that has such a name: rename it:' "$strange"; exit 1; }
  spaces=$(sql "$server" "select string_agg(spcname, ', ') from pg_tablespace where spcname !~ '^pg_'")
  [ -z "$spaces" ] || { echo "tablespaces are not moved: move what is in them, and drop them: $spaces"; exit 1; }
}
# lock_writes: from here on nothing is written to the old server, which goes on to serve what is read. The locks are those of
# sessions that end with this script, and with the server: nothing is left of them.
lock_writes() {
  n=0
  while IFS= read -r database <&4; do
    n=$((n + 1))
    {
      printf '%s\n' "select count(pg_terminate_backend(pid)) from pg_stat_activity where backend_type = 'client backend' and datname = current_database() and pid <> pg_backend_pid();"
      printf '%s\n' "begin; set local lock_timeout = '30s'; $lock_query \\gexec" 'lock table pg_catalog.pg_class, pg_catalog.pg_largeobject in exclusive mode;' '\echo locked'
      exec sleep infinity
    } 2>/dev/null | docker exec -i -e PGOPTIONS="$plain" "$server" psql -XqAt -v ON_ERROR_STOP=1 -v VERBOSITY=terse -U postgres -d "$database" >"$work/locked.$n" 2>&1 &
    lockers="$lockers $!"
    begin_wait 60
    until grep -qx locked "$work/locked.$n"; do
      { time_left && kill -0 $! 2>/dev/null; } || { echo "the tables of $database cannot be locked:"; cat "$work/locked.$n"; exit 1; }
      sleep 0.1
    done
  done 4<"$work/databases"
}
still_locked() {
  for each in $lockers; do
    kill -0 "$each" 2>/dev/null || { echo 'a lock of the old server was lost meanwhile, so it may have been written to'; exit 1; }
  done
}
# copy_database NAME NUMBER: with the tools of the new version. Where what they have dumped cannot be restored, as that of a server
# which is of a later day than they are, with those of the old server itself.
copy_database() {
  rights='^[0-9]+; [0-9]+ [0-9]+ (ACL|DEFAULT ACL|COMMENT - EXTENSION) '
  dump=$dumps/$2
  set +e
  (set -e; dump_new "$1"; restore "$1") >"$work/said" 2>&1
  copied=$?
  set -e
  [ "$copied" != 0 ] || return 0
  echo "$1: $(head -n 1 "$work/said"): dumped again by the server's own tools"
  case $1 in postgres | template1) ;; *) sql "$beside" "drop database if exists \"$1\" with (force);" ;; esac
  dump_old "$1" "$2"
  restore "$1"
}
dump_new() { beside pg_dump --host /run/before --username postgres --format custom --compress lz4 --file "$dump" --dbname "$1"; }
dump_old() {
  docker exec "$server" pg_dump --username postgres --format custom --compress lz4 --dbname "$1" >"$data/$new.new/dumps/$2"
  chown 999:999 "$data/$new.new/dumps/$2"
}
# restore NAME: as the owner of the database, so that nothing that a bot has put into it runs with more rights than the bot.
restore() {
  case $1 in
  postgres | template1) beside pg_restore --username postgres --dbname "$1" --single-transaction "$dump" ;;
  *)
    beside pg_restore --list "$dump" >"$work/list"
    grep -E "$rights" "$work/list" >"$work/rights" || :
    grep -vE "$rights" "$work/list" >"$work/objects" || :
    for each in objects rights; do beside sh -c "cat >/tmp/$each" <"$work/$each"; done
    beside pg_restore --username postgres --dbname template1 --create --exit-on-error --use-list /dev/null "$dump"
    owner=$(sql "$server" "select pg_get_userbyid(datdba) from pg_database where datname = current_database()" "$1")
    sql "$server" "$extension_query" "$1" >"$work/extensions"
    sql "$beside" "$(cat "$work/extensions")" "$1"
    beside pg_restore --username "$owner" --dbname "$1" --no-owner --no-privileges --single-transaction --use-list /tmp/objects "$dump"
    sql "$server" "$owner_query" "$1" >"$work/owners"
    sql "$beside" "$(cat "$work/owners")" "$1"
    beside pg_restore --username postgres --dbname "$1" --exit-on-error --use-list /tmp/rights "$dump"
    ;;
  esac
  beside rm -f "$dump"
}
# compare: every table has the same rows in both, by their number and a checksum of each; so have sequences.
compare() {
  : >"$work/before"
  : >"$work/after"
  while IFS= read -r database <&4; do
    sums "$server" "$database" before
    sums "$beside" "$database" after
  done 4<"$work/databases"
  cmp -s "$work/before" "$work/after" || {
    echo 'what was restored (+) differs from what was there (-):'
    diff -U 0 "$work/before" "$work/after" | tail -n +4 | head -n 20
    exit 1
  }
  awk '/ rows / { tables++; for (i = 1; i < NF; i++) if ($i == "rows") rows += $(i + 1) }
    END { printf "%d tables with %d rows are the same in both, by count and checksum\n", tables, rows }' "$work/before"
}
# sums CONTAINER DATABASE FILE: adds to the file what tells the contents of the database.
sums() {
  printf '%s\n' "$sums_query \\gexec" | docker exec -i -e PGOPTIONS="$plain $spelled" "$1" psql -XqAt -v ON_ERROR_STOP=1 -U postgres -d "$2" >"$work/sums"
  sed "s/^/$2: /" "$work/sums" >>"$work/$3"
}
