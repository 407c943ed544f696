#!/bin/sh
# Written by botgarden; changes made here are overwritten.
# Takes a backup of this host, or with --only NAME of one database; --wait waits for another one that is under way.
# Exit: 0 taken; 1 failed, and status*.json says why; 75 another one is under way.
# Plain text passes through pipes only: what reaches the disk is encrypted.
set -u
umask 077
export LC_ALL=C
home=/opt/botgarden/backups
signing_key=/etc/botgarden/secrets/backup-signing-key
store=/var/lib/botgarden/backups
server=botgarden-postgres
. "$home/settings"

# --- under the lock: runs the work, and records what became of it even where that was killed ---

main() {
  exec 9>>"$home/lock"
  flock $wait 9 || { echo 'another backup is under way' >&2; exit 75; }
  status=$home/status${only:+-$only}.json
  run=$(mktemp -d /run/botgarden-backup.XXXXXX) || exit 1
  export run
  trap 'rm -rf "$run"' EXIT
  began=$(date +%s)
  result=0
  timeout --kill-after=60 "$limit" ionice -t -c 3 nice -n 19 "$0" ${only:+--only "$only"} --work 2>"$run/errors" || result=$?
  find "$store" -maxdepth 1 -name '.partial-*' -exec rm -rf {} +
  reason=$(tail -n 5 "$run/errors" | tr -s '\n\t' '  ')
  [ "$result" != 124 ] && [ "$result" != 137 ] || reason="took longer than $limit s, or was killed. $reason"
  [ "$result" = 0 ] || : "${reason:=ended with exit code $result}"
  [ -s "$run/warnings" ] || echo '[]' >"$run/warnings"
  record
  [ "$result" != 0 ] || [ "$(cat "$run/warnings")" = '[]' ] || reason=$(jq -r 'join("; ")' "$run/warnings")
  [ -z "$reason" ] || alert "botgarden: backup of $host${only:+, database $only} $([ "$result" = 0 ] && echo 'is in doubt' || echo FAILED): $reason"
  [ "$result" = 0 ] && echo "taken: $(cat "$run/name")" || { echo "failed: $reason" >&2; exit 1; }
}

record() {
  jq -e . "$status" >"$run/before" 2>/dev/null || echo null >"$run/before"
  jq -n --slurpfile before "$run/before" --slurpfile warnings "$run/warnings" \
    --arg result "$([ "$result" = 0 ] && echo ok || echo failed)" --arg at "$(date -u +%FT%TZ)" --arg reason "$reason" \
    --arg name "$(cat "$run/name" 2>/dev/null)" --arg bytes "$(cat "$run/total" 2>/dev/null)" --arg seconds $(($(date +%s) - began)) \
    '{format: 1, result: $result, at: $at, seconds: ($seconds | tonumber), reason: $reason, warnings: $warnings[0]}
     + if $result == "ok" then {lastGood: $name, bytes: ($bytes | tonumber)}
       else {lastGood: $before[0].lastGood, bytes: $before[0].bytes} end' >"$status.new" &&
    sync "$status.new" && mv -f "$status.new" "$status"
}

alert() {
  [ -z "$alert_command" ] || printf '%s\n' "$1" | timeout 60 sh -c "$alert_command" >/dev/null 2>&1 9>&- || echo 'the alert command failed' >&2
  # By stdin: an address that alerts is often a secret by itself.
  [ -z "$alert_url" ] || { printf '%s\n' "$1" >"$run/alert"; printf 'url = "%s"\n' "$alert_url" |
    curl --silent --show-error --fail --max-time 30 --data-binary "@$run/alert" --config - >/dev/null; } || echo 'the alert could not be sent' >&2
}

# --- the work: whatever goes wrong ends it, with the reason as its last words ---

work() {
  now=$(date -u +%FT%H%M%SZ)
  name=$now${only:+-$only}
  last=$(series | awk -v now="$now" 'substr($0, 1, 18) <= now { print; exit }')
  echo null >"$run/last"
  [ -z "$last" ] || jq -e . "$store/$last/manifest.json" >"$run/last" || fail "$store/$last/manifest.json: no JSON: move that backup away"
  find "$store" -maxdepth 1 -name '.partial-*' -exec rm -rf {} +
  refuse_full_disk
  partial=$store/.partial-$name
  mkdir "$partial"
  mkfifo "$run/to-sum" "$run/to-count" "$run/to-check"
  databases
  [ -n "$only" ] || {
    put globals globals.sql.age check_globals in_server pg_dumpall --globals-only
    # A file that was written meanwhile is read again, once.
    (put files files.tar.age check_files files) 2>/dev/null || put files files.tar.age check_files files
  }
  manifest
  (cd "$partial" && sha256sum -- * >"$run/sums" && mv "$run/sums" SHA256SUMS) || fail 'checksums could not be written'
  sign
  sync "$partial"/* "$partial" || fail 'the backup could not be brought to the disk'
  du --bytes --summarize "$partial" | cut -f 1 >"$run/total"
  [ ! -e "$store/$name" ] || fail "$store/$name is there already: is the clock right?"
  mv -T "$partial" "$store/$name" && sync "$store" || fail 'the backup could not be renamed into its place'
  printf %s "$name" >"$run/name"
  retain
}

# The good backups of the kind that is being taken, the newest first.
series() {
  day='[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'
  find "$store" -mindepth 1 -maxdepth 1 -type d -name "${day}T[0-9][0-9][0-9][0-9][0-9][0-9]Z${only:+-$only}" -printf '%f\n' | sort -r
}

refuse_full_disk() {
  set -- $(df --block-size=1 --output=avail,size "$store" | tail -n 1)
  [ $(($1 * 100)) -ge $(($2 * min_free)) ] ||
    fail "the disk of $store is too full to begin: $(($1 * 100 / $2)) % free, and minFree asks for $min_free %"
  needed=$(jq '[.parts[]?.encrypted.size] | add // 0' "$run/last")
  [ "$1" -gt "$needed" ] || fail "the disk of $store has room for $1 bytes, and the last backup took $needed"
}

databases() {
  in_server psql -XqAt -d postgres -v ON_ERROR_STOP=1 -c "
    select json_build_object('database', datname, 'owner', pg_get_userbyid(datdba), 'file', 'database-' ||
      case when datname ~ '^[A-Za-z0-9_]+\$' then datname else '=' || encode(convert_to(datname, 'UTF8'), 'hex') end || '.dump.age')
    from pg_database where datallowconn and not datistemplate order by datname" >"$run/all" 2>"$run/list.errors" ||
    fail "the databases cannot be listed: $(words "$run/list.errors")"
  jq -c --arg only "$only" 'select($only == "" or .database == $only)' "$run/all" >"$run/databases"
  [ -s "$run/databases" ] || fail "there is no database \"$only\": there are $(jq -r .database "$run/all" | paste -s -d ' ')"
  while IFS= read -r entry <&3; do
    database=$(printf %s "$entry" | jq -r .database)
    put "$entry" "$(printf %s "$entry" | jq -r .file)" check_dump dump
  done 3<"$run/databases"
}

# put WHAT FILE CHECK COMMAND…: what the command prints is counted, summed, checked and encrypted, all while it flows.
put() {
  what=$1 file=$2 check=$3
  shift 3
  rm -f "$run"/*.status
  sha256sum <"$run/to-sum" >"$run/sum" &
  wc -c <"$run/to-count" >"$run/count" &
  { "$check" >"$run/checked" 2>"$run/check.errors"; echo $? >"$run/check.status"; cat >/dev/null; } <"$run/to-check" &
  # Every status is kept by itself: a pipe tells only the last one's.
  { "$@" </dev/null 2>"$run/command.errors"; echo $? >"$run/command.status"; } |
    { tee "$run/to-sum" "$run/to-count" "$run/to-check" 2>/dev/null; echo $? >"$run/tee.status"; } |
    { age --encrypt --recipients-file "$home/recipients" 2>"$run/age.errors" >"$partial/$file"; echo $? >"$run/age.status"; } 2>>"$run/age.errors"
  wait
  # Whoever broke the pipe first is to blame, not those who then wrote into nothing.
  for part in age command check tee; do
    code=$(cat "$run/$part.status" 2>/dev/null)
    [ "$code" = 0 ] || fail "$file: $part ended with ${code:-a signal}: $(words "$run/$part.errors")"
  done
  case $what in {*) ;; *) what="{\"kind\": \"$what\"}" ;; esac
  set -- $(sha256sum "$partial/$file") $(stat -c %s "$partial/$file")
  jq -nc --argjson what "$what" --arg file "$file" --arg size "$(cat "$run/count")" --arg sum "$(cut -c 1-64 "$run/sum")" \
    --arg esum "$1" --arg esize "$3" --slurpfile checked "$run/checked" \
    '{kind: "database"} + $what + {file: $file, size: ($size | tonumber), sha256: $sum, encrypted: {size: ($esize | tonumber), sha256: $esum}} + $checked[0]' \
    >>"$run/parts" || fail "$file: cannot be told of"
}

dump() { in_server pg_dump --format=custom --compress=zstd:3 --lock-wait-timeout=60s; }
files() {
  cd / && tar --create --numeric-owner --exclude=opt/botgarden/backups \
    $(ls -d etc/botgarden etc/letsencrypt var/lib/botgarden/allocations var/lib/botgarden/bots opt/botgarden 2>/dev/null)
}

# Reads the dump to its end, which finds more than a look at its list would, and counts the rows that it holds.
check_dump() {
  { in_server pg_restore --data-only --file=- ; echo $? >"$run/restore.status"; cat >/dev/null; } |
    awk -f "$home/rows.awk" >"$run/rows" || { echo 'the dump does not read to its end' >&2; cat >/dev/null; return 1; }
  [ "$(cat "$run/restore.status")" = 0 ] || return 1
  jq -R -n '{tables: [inputs | capture("^(?<rows>[0-9]+)\t(?<table>.*)$") | {key: .table, value: (.rows | tonumber)}] | from_entries}' "$run/rows"
}
check_globals() { grep -c '^-- PostgreSQL database cluster dump complete$' >/dev/null && echo '{}'; }
check_files() { entries=$(tar --list | wc -l) && [ "$entries" -gt 0 ] && echo "{\"entries\": $entries}"; }

manifest() {
  jq -r -n --slurpfile last "$run/last" --slurpfile parts "$run/parts" '
    $last[0] // {parts: []} | .time as $time | .parts[] | . as $old
    | ([$parts[] | select(.file == $old.file)] | first) as $new
    | if $new == null then "\($old.file): is gone, and was there at \($time)"
      elif $old.size > 100000 and $new.size * 2 < $old.size
      then "\($old.file): \($new.size) bytes, less than half of the \($old.size) of \($time)" else empty end' >"$run/doubts"
  jq -R -n '[inputs]' "$run/doubts" >"$run/warnings"
  jq -n --arg host "$host" --arg time "$(printf %s "$now" | sed 's/\(..\)\(..\)Z$/:\1:\2Z/')" --arg only "$only" \
    --arg server "$(in_server psql -XqAt -d postgres -c 'show server_version')" \
    --rawfile recipients "$home/recipients" --slurpfile warnings "$run/warnings" --slurpfile parts "$run/parts" \
    '{format: 1, host: $host, time: $time, only: (if $only == "" then null else $only end), server: $server,
      recipients: [$recipients | split("\n")[] | select(startswith("age1"))], warnings: $warnings[0], parts: $parts}' \
    >"$partial/manifest.json" || fail 'the manifest could not be written'
}

# Over the checksums, which have the manifest and the parts.
sign() {
  [ -f "$signing_key" ] || fail "$signing_key is missing, which signs backups: site.ts makes one, and restore.ts --host brings back the one that was"
  ssh-keygen -q -Y sign -n botgarden-backup -f "$signing_key" "$partial/SHA256SUMS" </dev/null 2>"$run/sign.errors" ||
    fail "the backup could not be signed: $(words "$run/sign.errors")"
}

# Nothing goes while there are doubts about what has just been taken.
retain() {
  [ ! -s "$run/doubts" ] || return 0
  series | awk -v now="$now" -v daily="$daily" -v weekly="$weekly" -v monthly="$monthly" -f "$home/retention.awk" >"$run/verdicts"
  while read -r verdict old; do
    case $verdict in
      # Cut in the middle, a removal must not leave what looks like a backup.
      remove) mv -T "$store/$old" "$store/.partial-$old" && rm -rf "$store/.partial-$old" ;;
      future) printf '%s: from the future by the clock of this host, which was or is wrong: kept\n' "$old" >>"$run/doubts" ;;
    esac
  done <"$run/verdicts"
  jq -R -n '[inputs]' "$run/doubts" >"$run/warnings"
}

# The server's own tools. They outlive a `docker exec` that is killed, so their time is limited in there as well.
in_server() {
  tool=$1
  shift
  docker exec -i -e "PGDATABASE=${database:-postgres}" "$server" nice -n 19 timeout "$limit" "$tool" --username=postgres "$@"
}

words() { tail -n 3 "$1" 2>/dev/null | tr -s '\n\t' '  '; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

wait=--nonblock only= step=main
while [ $# -gt 0 ]; do
  case $1 in
    --only) only=$2; shift ;;
    --wait) wait=--exclusive ;;
    --work) step=work ;;
    *) fail "unknown: $1" ;;
  esac
  shift
done
# It becomes part of file names.
case $only in *[!A-Za-z0-9_]*) fail "not the name of a database: $only" ;; esac
$step
