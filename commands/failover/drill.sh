# shellcheck shell=dash
# A copy of the standby's cluster, promoted in a throwaway container: without a network, in memory of its own, beside what runs.
# Variables: image, server (its container), folder (of the clusters of this version), owner, conf, secrets, name (of the container).
drill() {
  copy=$folder/docker.drill
  clean() {
    docker rm -f --volumes "$name" >/dev/null 2>&1 || :
    rm -rf "$copy"
  }
  clean
  trap clean EXIT
  trap 'exit 143' HUP TERM
  size=$(du -s -B1 "$folder/docker" | cut -f 1)
  room=$(df --output=avail -B1 "$folder" | tail -n 1)
  [ "$room" -gt $((size + size / 10 + 300000000)) ] || {
    echo "a copy of its cluster takes $((size / 1000000)) MB, and there is room for $((room / 1000000)) MB: no drill"
    return 1
  }
  free=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
  [ "$free" -gt 400 ] || { echo "the throwaway server takes 256 MiB, and $free MiB of memory are free: no drill"; return 1; }
  began=$(date +%s)
  copy_cluster || { echo 'the cluster could not be copied'; return 1; }
  echo "copied $((size / 1000000)) MB in $(($(date +%s) - began)) s"
  began=$(date +%s)
  docker run --detach --name "$name" --network none --read-only --cap-drop ALL --security-opt no-new-privileges --user "$owner:$owner" \
    --memory 256m --memory-swap 256m --pids-limit 200 --shm-size 64m --log-driver local --tmpfs /tmp:size=16m,mode=1777 \
    --tmpfs /var/lib/postgresql:size=1m,mode=1777 --mount "type=bind,source=$copy,target=/drill" \
    --mount "type=bind,source=$conf,target=/etc/postgresql,readonly" --mount "type=bind,source=$secrets,target=/run/secrets,readonly" \
    --env PGPASSFILE=/run/secrets/pgpass --entrypoint postgres "$image" -D /drill \
    -c config_file=/etc/postgresql/postgresql.conf -c hba_file=/etc/postgresql/pg_hba.conf -c shared_buffers=32MB \
    -c listen_addresses= -c unix_socket_directories=/tmp -c ssl=off -c restore_command=false -c recovery_target_timeline=current \
    -c primary_conninfo= -c primary_slot_name= -c synchronous_standby_names= >/dev/null
  begin_wait 120
  until [ "$(sql postgres 'select pg_is_in_recovery()' 2>/dev/null)" = f ]; do
    if ! time_left || [ "$(docker container inspect --format '{{.State.Running}}' "$name")" != true ]; then
      echo 'the copy was not promoted:'
      docker logs --tail 10 "$name" 2>&1
      return 1
    fi
    sleep 0.5
  done
  sql postgres 'create table botgarden_drill (n int); insert into botgarden_drill values (1); drop table botgarden_drill' >/dev/null
  echo "promoted in $(($(date +%s) - began)) s, and takes changes; the last one that it has is of $(sql postgres "select coalesce(to_char(pg_last_committed, 'YYYY-MM-DD HH24:MI:SS'), 'before it was copied') from (select pg_last_xact_replay_timestamp() at time zone 'UTC' as pg_last_committed) each")"
  for each in $(sql postgres "select datname from pg_database where not datistemplate and datname <> 'postgres' order by 1"); do
    echo "database $each $(sql "$each" "select count(*) from pg_class where relkind in ('r', 'p') and relnamespace not in (select oid from pg_namespace where nspname in ('pg_catalog', 'information_schema'))")"
  done
}
# While it follows: what changes meanwhile is in the WAL, which comes last. pg_control says up to where.
copy_cluster() {
  # They are for the shell in the container.
  # shellcheck disable=SC2016
  printf '%s\n' "select pg_backup_start('drill', true) \\g /dev/null" \
    '\! mkdir -m 0700 "$PGDATA.drill" && cp -a "$PGDATA/." "$PGDATA.drill/" 2>/dev/null; cp -a "$PGDATA/global/pg_control" "$PGDATA.drill/global/"' \
    '\o /dev/null' '\a' '\t' 'select labelfile from pg_backup_stop(false) \g (format=unaligned tuples_only=on) | cat >"$PGDATA.drill/backup_label"' \
    '\! cp -a "$PGDATA/pg_wal/." "$PGDATA.drill/pg_wal/"' \
    '\! cd "$PGDATA.drill" && rm -f standby.signal postmaster.pid postmaster.opts && : >recovery.signal && : >postgresql.auto.conf' |
    docker exec -i "$server" psql -Xq -v ON_ERROR_STOP=1 -U postgres >/dev/null && [ -s "$copy/backup_label" ]
}
sql() { printf '%s\n' "$2" | docker exec -i "$name" psql -XqAt -v ON_ERROR_STOP=1 -h /tmp -U postgres -d "$1"; }
