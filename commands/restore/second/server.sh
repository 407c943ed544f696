# shellcheck shell=dash
# A server beside the one that serves: the cluster as it was at a moment, from its base and the WAL that follows. It has no network, its
# data is in $second on the disk, and all of it is gone when this script ends.

# By a trap.
# shellcheck disable=SC2317
cleanup() {
  trap - EXIT
  docker rm -f --volumes "$server" >/dev/null 2>&1 || :
  rm -rf "$second"
}
fail() {
  echo "$*"
  exit 1
}

# The disk is that of the cluster that serves, which tells about how much there will be.
need_disk() {
  needed=$(($(du -sm "$clusters" | cut -f 1) + $(du -sm "$second" | cut -f 1) + 256))
  free=$(df --output=avail -m "${second%/*}" | tail -n 1)
  [ "$free" -ge "$needed" ] || fail "the disk has $((free)) MiB free, and a server beside the one that serves needs $needed MiB: nothing was changed"
}

# unpack_into FOLDER OPTION…: as the server's user, which has nothing else to write to.
unpack_into() {
  cd "$1"
  shift
  setpriv --reuid "$owner" --regid "$owner" --clear-groups --no-new-privs tar --extract "$@" || fail 'what was archived cannot be unpacked'
  cd /
}
unpack() {
  install -d -m 0700 -o "$owner" -g "$owner" "$second/data" "$second/wal"
  unpack_into "$second/data" --gzip <"$second/base.tar.gz"
  unpack_into "$second/wal" <"$second/wal.tar"
  rm -f "$second/base.tar.gz" "$second/wal.tar"
  major=$(cat "$second/data/PG_VERSION")
  image=$(docker container inspect --format '{{.Config.Image}}' "$serving" 2>/dev/null) || image=$fallback
  [ "$(cat "$clusters"/*/docker/PG_VERSION 2>/dev/null | sort -n | tail -n 1)" = "$major" ] ||
    fail "the archive of that time is of PostgreSQL $major, and the server is of another version by now: use a nightly backup, by --at with a day alone"
  # What somebody has set by ALTER SYSTEM is no matter here, and neither is who may come in.
  : >"$second/data/postgresql.auto.conf"
  echo 'local all all trust' >"$second/data/pg_hba.conf"
  : >"$second/data/postgresql.conf"
  : >"$second/data/recovery.signal"
  chown "$owner:$owner" "$second/data/recovery.signal"
}

# start_server OPTION…: it replays what there is, and is open when that is done.
start_server() {
  docker rm -f --volumes "$server" >/dev/null 2>&1 || :
  docker run --detach --name "$server" --network none --user "$owner:$owner" --cap-drop ALL --security-opt no-new-privileges --read-only \
    --memory 384m --memory-swap 384m --pids-limit 100 --shm-size 64m --tmpfs /tmp:size=16m,mode=1777 \
    --tmpfs /var/lib/postgresql:size=1m --tmpfs "/run/postgresql:mode=0775,uid=$owner,gid=$owner" \
    --mount "type=bind,source=$second/data,target=/cluster" --mount "type=bind,source=$second/wal,target=/wal,readonly" \
    --entrypoint postgres "$image" -D /cluster -c fsync=off -c listen_addresses= -c unix_socket_directories=/run/postgresql \
    -c shared_buffers=32MB -c max_connections=20 -c max_prepared_transactions=64 -c max_wal_senders=0 -c hot_standby=off -c autovacuum=off -c timezone=UTC \
    -c 'restore_command=test -f /wal/%f.gz && gzip -dc /wal/%f.gz | gzip -dc >%p' "$@" >/dev/null
}

await_promotion() {
  begin_wait 3600
  while time_left; do
    [ "$(docker container inspect --format '{{.State.Running}}' "$server" 2>/dev/null)" = true ] || return 1
    ! docker exec "$server" pg_isready --quiet || return 0
    sleep 0.5
  done
  return 1
}

# Where nothing was committed after the moment in what there is, its end is the moment.
recover() {
  start_server -c "recovery_target_time=$moment" -c recovery_target_action=promote
  await_promotion && return 0
  if docker logs "$server" 2>&1 | grep -q 'recovery ended before configured recovery target was reached'; then
    start_server
    await_promotion && return 0
  fi
  docker logs --tail 20 "$server" 2>&1
  fail 'the cluster of that time cannot be brought back: no existing database was changed'
}

in_second() { docker exec -i -e PGOPTIONS='-c client_min_messages=warning -c search_path= -c role=none' "$server" "$@"; }

# dump DATABASE FILE: and, as JSON, what a backup says of such a part.
dump() {
  held=$(printf '%s\n' "select pg_get_userbyid(datdba) from pg_database where datname = :'name'" | in_second psql -XqAt -v ON_ERROR_STOP=1 -v name="$1" -U postgres)
  [ -n "$held" ] || fail "there was no database $1 at that time"
  in_second pg_dump -U postgres --format=custom --compress=zstd:3 --dbname "$1" >"$2" || fail "the database $1 cannot be dumped"
  in_second pg_restore --data-only --file=- <"$2" | awk -f "$rows" >"$second/rows" || fail "the dump of $1 does not read to its end"
  jq -R -n -c --arg database "$1" --arg owner "$held" --arg size "$(stat -c %s "$2")" --arg sha256 "$(sha256sum <"$2" | cut -c 1-64)" \
    '{dumped: {database: $database, owner: $owner, size: ($size | tonumber), sha256: $sha256,
      tables: ([inputs | capture("^(?<rows>[0-9]+)\t(?<table>.*)$") | {key: (.table | gsub("\u0001"; "\n")), value: (.rows | tonumber)}] | from_entries)}}' "$second/rows" ||
    fail "what was dumped of $1 cannot be told"
}
