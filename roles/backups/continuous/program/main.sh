# shellcheck shell=dash
# Keeps an archive of the server's WAL, encrypted and signed: complete segments as they come from the archiver, closed at the latest
# half a minute after a transaction, and a copy of the whole cluster a day, the base. What does not follow on what is there begins a
# new chain, with a base of its own. Nothing here may stop the server.

archive_main() {
  mkdir -p "$run" "$state/store"
  case ${1:-} in
  base) take_base ;;
  # Whoever restores waits for a run that is under way, and then has one of its own. It notes whole seconds: that in which it was asked
  # for is over when it begins, so that any moment before belongs to what it has.
  now) sleep 1 && tick 60 && cat "$run/status.json" ;;
  *) tick 0 ;;
  esac
}

tick() {
  exec 9>"$run/lock"
  flock --wait "$1" 9 || return 1
  began=$(date +%s) fault=''
  if ! work 2>"$run/errors"; then
    : "${fault:=$(words "$run/errors")}"
    : "${fault:=its program has failed}"
  fi
  record
}

work() {
  read_chain
  prune_hourly
  if ! room; then
    hold_archiver
    spare_server
    return 1
  fi
  enlist
  if ! ask_server; then
    fault="the database server does not answer: $(words "$run/errors")" awaited=''
    store_all
    send_wal
    return 1
  fi
  if [ -z "$chain" ]; then begin_chain "$([ -z "$(ls "$state/store")" ] || echo 'the record of what is archived is gone')" || return 1
  else
    reason=$(broken)
    if [ -n "$reason" ]; then
      # What was received before it belongs to the chain that ends.
      awaited=''
      store_spool || :
      begin_chain "$reason" || return 1
    fi
  fi
  keep_archiver
  await_segment
  store_all || return 1
  if [ -z "$awaited" ] || is_stored "$awaited"; then
    echo "$began" >"$run/through"
    # It goes of the archive one day, and where nothing is written no other comes in its place.
    : >"$run/awaited"
  fi
  start_base
  send_wal
  [ -z "$fault" ]
}

# ask_server: into $system, $slot (none, reserved, extended, unreserved, lost) and $active, what it says, and into $awaited the segment
# with all that was committed until now. A segment is closed only where a transaction has ended since, so a quiet server writes none.
ask_server() {
  last='' awaited=''
  [ ! -s "$run/snapshot" ] || read -r last <"$run/snapshot"
  [ ! -s "$run/awaited" ] || read -r awaited <"$run/awaited"
  answer=$(sql <<query
\\set last '$last'
select pg_current_snapshot()::text as snapshot, pg_current_snapshot()::text <> :'last' as moved \\gset
\\set segment ''
\\if :moved
select pg_walfile_name(pg_switch_wal() - 1) as segment \\gset
\\endif
select 'archive', system_identifier, coalesce((select wal_status from pg_replication_slots where slot_name = 'archive'), 'none'),
  coalesce((select active from pg_replication_slots where slot_name = 'archive'), false), :'snapshot', :'segment' from pg_control_system();
query
  ) || return 1
  IFS='|' read -r word system slot active snapshot segment <<answer
$(printf '%s\n' "$answer" | grep '^archive|')
answer
  [ "$word" = archive ] || return 1
  [ -z "$segment" ] || awaited=$segment
  echo "$snapshot" >"$run/snapshot"
  echo "$awaited" >"$run/awaited"
}
