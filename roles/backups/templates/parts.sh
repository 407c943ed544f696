# Written by botgarden; changes made here are overwritten.
# How one part comes into a backup: read by the program `backup`, whose variables these are.

# part WHAT FILE CHECK COMMAND…: puts it into the backup, or notes why not. A part may take half of the time that is left, the last
# one all of it; and as much of the disk as minFree leaves.
part() {
  parts=$((parts - 1))
  left=$((ends - $(uptime)))
  [ "$parts" = 0 ] || left=$((left / 2))
  cap=$((left > 1 ? left : 1))
  blocks=$(df --block-size=1 --output=avail,size "$store" | awk -v min="$min_free" 'END { room = ($1 - $2 * min / 100) / 512; if (room < 1) room = 1; printf "%.0f", int(room) }')
  if (put "$@") 2>"$run/part.errors"; then return; fi
  # A file that was written meanwhile is read again, once.
  case $2 in files.tar.age | data-* | cache-*) if (put "$@") 2>"$run/part.errors"; then return; fi ;; esac
  rm -f "$partial/$2"
  printf %s "$1" | jq -c --arg file "$2" --arg reason "$(words "$run/part.errors")" '{kind, database, bot, $file, $reason} | del(..|nulls)' >>"$run/failed"
  # A server that has just fallen over is up again in a moment: the next one need not fail for that.
  for second in $(seq 30); do
    in_server pg_isready --quiet && break
    sleep 1
  done
}

# put WHAT FILE CHECK COMMAND…: what the command prints is counted, summed, checked and encrypted, all while it flows.
put() {
  what=$1 file=$2 check=$3
  shift 3
  : >"$run/age.errors"
  rm -f "$run"/*.status
  sha256sum <"$run/to-sum" >"$run/sum" &
  wc -c <"$run/to-count" >"$run/count" &
  { "$check" >"$run/checked" 2>"$run/check.errors"; echo $? >"$run/check.status"; cat >/dev/null; } <"$run/to-check" &
  # Every status is kept by itself: a pipe tells only the last one's.
  { "$@" </dev/null 2>"$run/command.errors"; echo $? >"$run/command.status"; } |
    { tee "$run/to-sum" "$run/to-count" "$run/to-check" 2>/dev/null; echo $? >"$run/tee.status"; } |
    { (ulimit -f "$blocks"; exec age --encrypt --recipients-file "$home/recipients") 2>"$run/age.errors" >"$partial/$file"; echo $? >"$run/age.status"; } 2>>"$run/age.errors"
  wait
  [ "$(cat "$run/age.status")" = 0 ] || [ "$(stat -c %s "$partial/$file" 2>/dev/null || echo 0)" -lt $((blocks * 512)) ] ||
    fail "$file: needs more than the $((blocks * 512)) bytes that there is room for, since minFree asks for $min_free % of the disk"
  # Whoever broke the pipe first is to blame, not those who then wrote into nothing.
  for part in age command check tee; do
    code=$(cat "$run/$part.status" 2>/dev/null)
    [ "$code" != 124 ] || fail "$file: took longer than $cap s"
    [ "$code" = 0 ] || fail "$file: $part ended with ${code:-a signal}: $(words "$run/$part.errors")"
  done
  set -- $(sha256sum "$partial/$file") $(stat -c %s "$partial/$file")
  jq -nc --argjson what "$what" --arg file "$file" --arg size "$(cat "$run/count")" --arg sum "$(cut -c 1-64 "$run/sum")" \
    --arg esum "$1" --arg esize "$3" --slurpfile checked "$run/checked" \
    '$what + {file: $file, size: ($size | tonumber), sha256: $sum, encrypted: {size: ($esize | tonumber), sha256: $esum}} + $checked[0]' \
    >>"$run/parts" || fail "$file: cannot be told of"
}

dump() { in_server pg_dump --format=custom --compress=zstd:3 --lock-wait-timeout=60s; }
files() {
  cd / && timeout --foreground -k 10 "$cap" tar --create --numeric-owner --exclude=opt/botgarden/backups \
    $(ls -d etc/botgarden etc/letsencrypt var/lib/botgarden/allocations var/lib/botgarden/bots opt/botgarden 2>/dev/null)
}
# As the bot's user, so that what a bot has made of its files is no matter of root's.
files_of() {
  folder=$lasting/$2/cache
  [ "$1" = cache ] || folder=$lasting/$2/current
  as_owner "$folder" timeout --foreground -k 10 "$cap" python3 -I "$home/data.py" pack
}

# Reads the dump to its end, which finds more than a look at its list would, and counts the rows that it holds.
check_dump() {
  { in_server pg_restore --data-only --file=- ; echo $? >"$run/restore.status"; cat >/dev/null; } |
    awk -f "$home/rows.awk" >"$run/rows" || { echo 'the dump does not read to its end' >&2; cat >/dev/null; return 1; }
  [ "$(cat "$run/restore.status")" = 0 ] || return 1
  jq -R -n '{tables: [inputs | capture("^(?<rows>[0-9]+)\t(?<table>.*)$") | {key: (.table | gsub("\u0001"; "\n")), value: (.rows | tonumber)}] | from_entries}' "$run/rows"
}
check_globals() { grep -c '^-- PostgreSQL database cluster dump complete$' >/dev/null && echo '{}'; }
check_files_of() { setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs python3 -I "$home/data.py" sum; }
check_files() { entries=$(tar --list | wc -l) && [ "$entries" -gt 0 ] && echo "{\"entries\": $entries}"; }

# The server's own tools. They outlive a `docker exec` that is killed, so their time is limited in there as well. What the owner of
# a database has set for whoever enters it does not count for us.
in_server() {
  tool=$1
  shift
  timeout --foreground -k 10 $((cap + 30)) docker exec -i -e "PGDATABASE=${database:-postgres}" -e "PGOPTIONS=$options" -e PGCLIENTENCODING=UTF8 "$server" \
    nice -n 19 timeout -k 10 "$cap" "$tool" --username=postgres "$@"
}
options='-c statement_timeout=0 -c lock_timeout=0 -c transaction_timeout=0 -c idle_session_timeout=0 -c idle_in_transaction_session_timeout=0 -c role=none'
