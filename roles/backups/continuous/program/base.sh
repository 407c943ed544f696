# shellcheck shell=dash
# Copies of the whole cluster.

start_base() {
  ! has_base || [ -n "$(find "$state/outgoing" -name '*=base-*' 2>/dev/null | head -n 1)" ] || return 0
  [ -z "$(find "$run/base-failed" -mmin -10 2>/dev/null)" ] || return 0
  systemctl start --no-block "$base_unit" 9>&-
}

# has_base: one of this day, which those of today can open.
has_base() {
  [ -n "$(find "$state/store/$chain" -name 'base-*.age' -mmin -1430)" ] && [ "$(cat "$state/opened-by" 2>/dev/null)" = "$(openers)" ]
}
openers() { sha256sum <"$recipients"; }

# take_base: a copy of the cluster, encrypted on its way. Its name has when it was complete, and the first and the last segment that
# it needs.
take_base() {
  read_chain
  [ -n "$chain" ] || return 0
  began=$(date +%s)
  if ! has_base; then
    run_base 2>"$run/base-errors" || {
      rm -f "$new"
      words "$run/base-errors" >"$run/base-failed"
      [ -s "$run/base-failed" ] || echo 'its program has failed' >"$run/base-failed"
      return 1
    }
    rm -f "$run/base-failed" "$run/pruned"
  fi
  [ -z "$to" ] || send_files base || :
}

run_base() {
  new=$state/store/$chain/.new-base
  room || { echo "$fault" >&2; return 1; }
  for_whom=$(openers)
  first=$(echo 'select pg_walfile_name(pg_current_wal_insert_lsn())' | sql) || return 1
  bound_blocks=$(df --block-size=1 --output=avail,size "$state" | awk -v min="$min_free" 'END { printf "%.0f", int(($1 - $2 * min / 100) / 512) }')
  {
    timeout 3600 docker exec "$archiver" pg_basebackup --host /run/postgresql --username botgarden-archiver --no-password \
      --pgdata - --format tar --wal-method none --checkpoint fast --compress gzip:1
    echo $? >"$run/base-status"
  } | (ulimit -f "$bound_blocks"; exec age --encrypt --recipients-file "$recipients") >"$new" || return 1
  [ "$(cat "$run/base-status")" = 0 ] || return 1
  last=$(echo 'select pg_walfile_name(pg_switch_wal() - 1)' | sql) || return 1
  exec 9>"$run/lock"
  flock 9
  [ "$(cut -d ' ' -f 1 "$state/chain")" = "$chain" ] || { echo 'another chain has begun meanwhile' >&2; return 1; }
  mv -f "$new" "$state/store/$chain/.new"
  keep "base-$(date -u -d '1 second' +%Y%m%dT%H%M%SZ)-$first-$last.tar.gz.age" || return 1
  echo "$for_whom" >"$state/opened-by"
  # What was not archived is behind us.
  [ ! -s "$state/gap" ] || { mv -f "$state/gap" "$state/gap-closed" && touch "$state/gap-closed"; }
  exec 9>&-
}
