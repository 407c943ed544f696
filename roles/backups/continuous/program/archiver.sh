# shellcheck shell=dash
# The container that receives WAL, and the disks that it fills.

keep_archiver() {
  if [ "$active" = t ]; then
    rm -f "$run/inactive"
    return
  fi
  [ -e "$run/inactive" ] || echo "$began" >"$run/inactive"
  timeout 30 docker start "$archiver" >/dev/null || :
  [ $((began - $(cat "$run/inactive"))) -ge 60 ] || return 0
  spare_server
  fault="the archiver does not receive: $(docker logs --tail 2 "$archiver" 2>&1 | head -c 300 | tr '\n' ' ')"
}

# hold_archiver: the disk is too full for what it writes. The server keeps its WAL meanwhile, up to the bound of the slot.
hold_archiver() {
  timeout 30 docker stop --time 5 "$archiver" >/dev/null || :
}

# spare_server: what the server keeps for an archiver that does not take it may fill the server's own disk before it reaches its bound. So
# the slot goes where a third of minFree is left there: the archive has a gap, and the server goes on.
spare_server() {
  # shellcheck disable=SC2046
  set -- $(df --block-size=1 --output=avail,size "$clusters" | tail -n 1)
  [ $(($1 * 300)) -lt $(($2 * min_free)) ] || return 0
  dropped=$(sql <<'query'
select pg_drop_replication_slot(slot_name)::text || 'dropped' from pg_replication_slots
  where slot_name = 'archive' and not active and pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) > 64 * 1024 * 1024;
query
  ) || return 0
  [ "$dropped" = dropped ] || return 0
  note_gap 'the disk of the server was nearly full of WAL that was not archived'
  echo checkpoint | sql >/dev/null || :
}

room() {
  # shellcheck disable=SC2046
  set -- $(df --block-size=1 --output=avail,size "$state" | tail -n 1)
  [ $(($1 * 100)) -lt $(($2 * min_free)) ] || return 0
  fault="the disk of $state is too full: $(($1 * 100 / $2)) % free, and minFree asks for $min_free %; the server keeps up to $bound MiB meanwhile"
  return 1
}

await_segment() {
  [ -n "$awaited" ] || return 0
  for _ in $(seq 75); do
    [ ! -e "$state/spool/$awaited.gz" ] && ! is_stored "$awaited" || return 0
    sleep 0.2
  done
}
