# shellcheck shell=dash
# Chains: what follows on each other from a base on, by one slot of the server's.

# read_chain: into $chain and $cluster, what is archived now.
read_chain() {
  chain='' cluster=''
  [ ! -s "$state/chain" ] || read -r chain cluster <"$state/chain"
  [ -d "$state/store/$chain" ] || chain=''
  last_stored=''
  [ -z "$chain" ] || last_stored=$(cd "$state/store/$chain" && find . -name 'wal-*.age' | sort | tail -n 1)
  last_stored=${last_stored#./wal-} last_through=$chain
  [ -z "$last_stored" ] || last_through=$(echo "$last_stored" | cut -c 26-41)
  last_stored=${last_stored%%-*}
}

# broken: why what comes cannot follow on what is stored; nothing where it does.
broken() {
  if [ "$cluster" != "$system" ]; then echo 'the server has another cluster'
  elif [ "$slot" = none ]; then echo 'the slot of the archive is gone'
  elif [ "$slot" = lost ]; then echo "the server had to remove WAL that was not archived, more than $bound MiB"
  fi
}

# begin_chain REASON: a slot of its own, and nothing of what was received before. Without a reason it is the first.
begin_chain() {
  timeout 30 docker stop --time 5 "$archiver" >/dev/null || :
  sql >/dev/null <<'query' || return 1
select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where slot_name = 'archive' and active;
select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = 'archive';
select pg_create_physical_replication_slot('archive', true);
query
  find "$state/spool" -mindepth 1 -delete
  [ -z "$1" ] || note_gap "$1"
  rm -f "$run/through" "$run/snapshot" "$run/base-failed"
  chain=$(chain_name) cluster=$system last_stored='' last_through=$chain
  mkdir -p "$state/store/$chain"
  printf '%s %s\n' "$chain" "$cluster" >"$state/chain.new"
  sync "$state/chain.new" && mv -f "$state/chain.new" "$state/chain"
  timeout 30 docker start "$archiver" >/dev/null
  # Closes the segment that the slot begins in.
  ask_server
}

# note_gap REASON: since when all is not there. The first reason is the one that is told.
note_gap() {
  [ -s "$state/gap" ] || printf '%s %s\n' "$(cat "$run/through" 2>/dev/null || echo 0)" "$1" >"$state/gap"
}

# Chains are ordered by their names, whatever the clock says: a name is later than all that are there.
chain_name() {
  now=$(date -u +%Y%m%dT%H%M%SZ)
  newest=$(find "$state/store" -mindepth 1 -maxdepth 1 -name '????????T??????Z' -printf '%f\n' | sort | tail -n 1)
  if [ "$(printf '%s\n' "$now" "$newest" | sort | tail -n 1)" = "$newest" ]; then
    date -u -d "$(echo "$newest" | sed 's/^\(....\)\(..\)\(..\)T\(..\)\(..\)\(..\)Z$/\1-\2-\3 \4:\5:\6 UTC/') + 1 second" +%Y%m%dT%H%M%SZ
  else echo "$now"
  fi
}
