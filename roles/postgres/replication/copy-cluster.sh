# shellcheck shell=dash
# Variables: image, server (its container), folder (of the clusters of this version), owner, secrets, primary (its address), role,
# cluster (its number, '' where it is not known), bytes (of its databases), asked_at (when it was asked).
copy_cluster() {
  install -d -o "$owner" -g "$owner" -m 0700 "${folder%/*}" "$folder"
  rm -rf "$folder/docker.copy"
  room=$(df --output=avail -B1 "$folder" | tail -n 1)
  [ "$room" -gt $((bytes + bytes / 10 + 300000000)) ] || {
    echo "the databases of the primary have $((bytes / 1000000)) MB, and this host has room for $((room / 1000000)) MB"
    return 1
  }
  await_primary
  # What follows on this host holds the slot.
  docker stop "$server" >/dev/null 2>&1 || :
  drop_slot
  client pg_basebackup --host="$primary" --username="$role" --no-password --pgdata=/clusters/docker.copy \
    --wal-method=stream --checkpoint=fast --create-slot --slot=standby
  rm -f "$folder/docker.copy/recovery.signal"
  install -o "$owner" -g "$owner" -m 0600 /dev/null "$folder/docker.copy/standby.signal"
  printf %s "$asked_at" >"$folder/docker.copy/botgarden.copied"
  sync -f "$folder"
  # Until here what was there is whole.
  rm -rf "$folder/docker.before"
  [ ! -e "$folder/docker" ] || mv -T "$folder/docker" "$folder/docker.before"
  mv -T "$folder/docker.copy" "$folder/docker"
  sync -f "$folder"
  rm -rf "$folder/docker.before"
}

# The primary may have been told of this host a moment ago.
await_primary() {
  begin_wait 60
  until told=$(replication IDENTIFY_SYSTEM 2>&1); do
    time_left || { echo "the primary does not let this host in: $told"; return 1; }
    sleep 1
  done
  [ -z "$cluster" ] || [ "${told%%|*}" = "$cluster" ] || {
    echo "at $primary is the cluster ${told%%|*}, and not that of the primary, $cluster"
    return 1
  }
}

drop_slot() {
  case $(replication 'READ_REPLICATION_SLOT "standby"') in
    physical*) replication 'DROP_REPLICATION_SLOT "standby" WAIT' >/dev/null ;;
  esac
}

replication() {
  client psql -XqAt -v ON_ERROR_STOP=1 -d "host=$primary user=$role replication=true" -c "$1"
}

# A program of PostgreSQL in a container that has the folder of the clusters and the password of this role, by the host's own network.
client() {
  program=$1
  shift
  docker run --rm --network host --read-only --cap-drop ALL --security-opt no-new-privileges --user "$owner:$owner" \
    --memory 256m --memory-swap 256m --pids-limit 50 --log-driver none --tmpfs /tmp:size=16m,mode=1777 \
    --tmpfs /var/lib/postgresql:size=1m --mount "type=bind,source=$folder,target=/clusters" \
    --mount "type=bind,source=$secrets,target=/run/secrets,readonly" \
    --env PGPASSFILE=/run/secrets/pgpass --env PGSSLMODE=require --env PGCONNECT_TIMEOUT=5 --env PGDATABASE=postgres \
    --entrypoint "$program" "$image" "$@" </dev/null
}
