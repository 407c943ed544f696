# shellcheck shell=dash
# Keeps an archive of the server's WAL, encrypted and signed: complete segments as they come from the archiver, closed at the latest
# half a minute after a transaction, and a copy of the whole cluster a day, the base. What does not follow on what is there begins a
# new chain, with a base of its own. Nothing here may stop the server.

archive_main() {
  mkdir -p "$run" "$state/store"
  case ${1:-} in
  base) take_base ;;
  # Whoever restores waits for a run that is under way, and then has one of its own.
  now) tick 60 && cat "$run/status.json" ;;
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
  [ -n "$awaited" ] && ! is_stored "$awaited" || echo "$began" >"$run/through"
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

# --- chains ---

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

# --- the archiver ---

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

# --- the store ---

is_stored() {
  set -- "$state/store/$chain/wal-$1"-*.age
  [ -e "$1" ]
}

# store_all: what the archiver has received. Where a segment is missing, a new chain begins.
store_all() {
  store_spool
  case $? in
  0) ;;
  2) begin_chain "the segment after $last_stored is missing" ;;
  *) return 1 ;;
  esac
}

# store_spool: in order, up to one that is missing, which is 2. Each has the time in its name until when all that was committed is in it or
# before it: the one that this run has closed has when the run began; one that was filled before, as after a full disk, that of the one
# before it, since nobody knows.
store_spool() {
  for path in "$state"/spool/????????????????????????.gz; do
    [ -e "$path" ] || continue
    name=${path##*/}
    name=${name%.gz}
    if is_stored "$name"; then
      rm -f "$path"
      continue
    fi
    [ -z "$last_stored" ] || [ "$name" = "$(next_segment "$last_stored")" ] || return 2
    room || return 1
    # Compressed once more: what is empty of a segment takes 73 KB after the archiver's gzip, and half a KB after another.
    rm -f "$run/torn"
    { gzip -1 <"$path" || : >"$run/torn"; } | age --encrypt --recipients-file "$recipients" >"$state/store/$chain/.new" || return 1
    [ ! -e "$run/torn" ] || return 1
    [ "$name" != "$awaited" ] || last_through=$(date -u -d "@$began" +%Y%m%dT%H%M%SZ)
    keep "wal-$name-$last_through.gz.age" || return 1
    rm -f "$path"
    last_stored=$name
  done
}

next_segment() {
  low=$((0x$(echo "$1" | cut -c 17-24) + 1)) high=$((0x$(echo "$1" | cut -c 9-16)))
  [ "$low" -lt 256 ] || low=0 high=$((high + 1))
  printf '%s%08X%08X\n' "$(echo "$1" | cut -c 1-8)" "$high" "$low"
}

# keep NAME: what is in the file `.new` of the chain is signed, with its place, and becomes that.
keep() {
  new=$state/store/$chain/.new
  sum=$(sha256sum <"$new")
  printf 'botgarden archive\n%s\n%s/%s\n%s\n' "$host" "$chain" "$1" "${sum%% *}" |
    ssh-keygen -q -Y sign -n botgarden-archive -f "$signing_key" >"$new.sig" || return 1
  sync "$new" "$new.sig" || return 1
  if [ -n "$to" ]; then
    mkdir -p "$state/outgoing"
    ln -f "$new.sig" "$state/outgoing/$chain=$1.sig"
    ln -f "$new" "$state/outgoing/$chain=$1"
  fi
  mv -f "$new.sig" "$state/store/$chain/$1.sig" && mv -f "$new" "$state/store/$chain/$1" && sync "$state/store/$chain"
}

# --- bases ---

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

# --- what goes ---

prune_hourly() {
  [ -z "$(find "$run/pruned" -mmin -60 2>/dev/null)" ] || return 0
  (cd "$state/store" && find . -mindepth 2 -maxdepth 2 -name '*.age' -printf '%P\n' | sort) >"$run/names"
  awk -v cutoff="$(date -u -d "$days days ago" +%Y%m%dT%H%M%SZ)" -f "$home/retention.awk" "$run/names" | while read -r old; do
    waits=$state/outgoing/${old%%/*}=${old#*/}
    rm -f "$state/store/$old" "$state/store/$old.sig" "$waits" "$waits.sig"
  done
  for folder in "$state"/store/*/; do
    [ "$folder" = "$state/store/$chain/" ] || rmdir "$folder" 2>/dev/null || :
  done
  du --bytes --summarize "$state/store" | cut -f 1 >"$run/bytes"
  : >"$run/pruned"
}

# --- what leaves the host ---

# enlist: another place is sent all that is here, not only what comes.
enlist() {
  [ "$(cat "$state/sent-to" 2>/dev/null)" != "$to" ] || return 0
  if [ -n "$to" ]; then
    mkdir -p "$state/outgoing"
    (cd "$state/store" && find . -mindepth 2 -maxdepth 2 -name '*.age*' -printf '%P\n') | while read -r path; do
      waits=$state/outgoing/${path%%/*}=${path#*/}
      [ -e "$waits" ] || ln "$state/store/$path" "$waits"
    done
  else rm -rf "$state/outgoing"
  fi
  echo "$to" >"$state/sent-to"
}

send_wal() { [ -z "$to" ] || send_files wal; }

# send_files KIND: in order, and each behind its signature. What arrived is told by the other side.
send_files() {
  set -- "$1" "$state/outgoing/"*"=$1-"*
  kind=$1
  shift
  [ -e "$1" ] || return 0
  {
    sent=0
    for path; do
      case $path in *.sig) continue ;; esac
      for each in "$path.sig" "$path"; do
        [ -e "$each" ] || continue
        name=${each##*/}
        printf 'put %s/%s %s\n' "${name%%=*}" "${name#*=}" "$(stat -c %s "$each")"
        cat "$each"
      done
      sent=$((sent + 1))
      [ "$sent" -lt 200 ] || break
    done
  } | timeout "$([ "$kind" = base ] && echo 3500 || echo 100)" ssh -T -p "$port" -i "$identity" -o BatchMode=yes -o ConnectTimeout=15 -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes \
    -o UserKnownHostsFile="$home/known_hosts" "$to" >"$run/kept-$kind" 2>"$run/send-errors-$kind"
  while read -r word path; do
    [ "$word" != kept ] || rm -f "$state/outgoing/${path%%/*}=${path#*/}"
  done <"$run/kept-$kind"
}

# --- what is told ---

record() {
  waiting=0 since=''
  [ -z "$to" ] || {
    waiting=$(find "$state/outgoing" -name '*.age' 2>/dev/null | wc -l)
    since=$(find "$state/outgoing" -name '*=wal-*.age' -printf '%T@\n' 2>/dev/null | sort -n | head -n 1)
  }
  newest=$(find "$state/store/${chain:-none}" -name 'base-*.age' -printf '%T@ %s\n' 2>/dev/null | sort -n | tail -n 1)
  first=$(first_base "$state/store/${chain:-none}") oldest=$(first_base "$state/store")
  # Long enough for a watch to see it.
  closed=$(find "$state/gap-closed" -mmin -10 -exec cat {} + 2>/dev/null)
  jq -n --arg at "$began" --arg through "$(cat "$run/through" 2>/dev/null)" --arg fault "$fault" --arg chain "$chain" \
    --arg base "${newest%% *}" --arg baseBytes "${newest#* }" --arg first "$first" --arg oldest "$oldest" --arg closed "$closed" --arg bytes "$(cat "$run/bytes" 2>/dev/null)" \
    --arg gap "$(cat "$state/gap" 2>/dev/null)" --arg baseFault "$(cat "$run/base-failed" 2>/dev/null)" \
    --arg to "$to" --arg waiting "$waiting" --arg since "${since%%.*}" --arg sendFault "$([ "$waiting" = 0 ] || words "$run/send-errors-wal")" \
    'def number: if . == "" then null else (tonumber | floor) end;
     {format: 1, at: ($at | number), through: ($through | number), chain: $chain, fault: $fault, gap: $gap, closed: $closed, first: $first,
      oldest: $oldest,
      base: {at: ($base | number), bytes: ($baseBytes | number), fault: $baseFault}, bytes: ($bytes | number)}
     + if $to == "" then {} else {sent: {waiting: ($waiting | number), since: ($since | number), fault: $sendFault}} end' >"$run/status.new" &&
    mv -f "$run/status.new" "$run/status.json"
}

first_base() { find "$1" -name 'base-*.age' -printf '%f\n' 2>/dev/null | sort | head -n 1; }

# Its time is limited in the server: a client that is killed may leave its program behind, as a child of the server.
sql() {
  timeout 240 docker exec -i -e PGOPTIONS='-c statement_timeout=20s -c client_min_messages=warning' "$server" \
    psql -XqAt -v ON_ERROR_STOP=1 -v VERBOSITY=terse -U postgres -d postgres
}
# The end of what a program has printed, as one line without control characters.
words() { tail -n 3 "$1" 2>/dev/null | tr '\n' ' ' | tr -d '\000-\037\177' | head -c 300; }

archive_main "$@"
