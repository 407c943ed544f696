#!/bin/sh
# Written by botgarden; changes made here are overwritten.
# Takes a backup of this host, or with --only NAME of one database; --wait waits for another one that is under way.
# Exit: 0 taken; 1 failed, all of it or a part, and status*.json says which and why; 75 another one is under way.
# Plain text passes through pipes only: what reaches the disk is encrypted.
set -u
umask 077
export LC_ALL=C
home=/opt/botgarden/backups
signing_key=/etc/botgarden/secrets/backup-signing-key
store=/var/lib/botgarden/backups
lasting=/var/lib/botgarden/data
server=botgarden-postgres
. "$home/settings"
. "$home/parts.sh"

# --- under the lock: runs the work, and records what became of it even where that was killed ---

main() {
  exec 9>>"$home/lock"
  flock $wait 9 || { echo 'another backup is under way' >&2; exit 75; }
  status=$home/status${only:+-$only}.json
  # What a killed one has left.
  rm -rf /run/botgarden-backup.*
  run=$(mktemp -d /run/botgarden-backup.XXXXXX) || exit 1
  trap 'rm -rf "$run"' EXIT
  began=$(uptime)
  ends=$((began + limit - limit / 20))
  export run ends
  touch "$run/name" "$run/total" "$run/failed"
  echo '[]' >"$run/warnings"
  result=running reason= code=0
  record
  timeout --kill-after=60 "$limit" ionice -t -c 3 nice -n 19 "$0" ${only:+--only "$only"} --work 2>"$run/errors" || code=$?
  find "$store" -maxdepth 1 -name '.partial-*' -exec rm -rf {} +
  case $code in
    0) result=ok reason=$(jq -r "$visible"' map(visible) | join("; ")' "$run/warnings") ;;
    "$incomplete") result=incomplete reason=$(reasons) ;;
    *) result=failed reason=$(words "$run/errors") ;;
  esac
  [ "$code" != 124 ] && [ "$code" != 137 ] || reason="took longer than $limit s, or was killed. $reason"
  [ "$code" = 0 ] || : "${reason:=ended with exit code $code}"
  record
  case $result in ok) verdict='is in doubt' ;; incomplete) verdict='FAILED in part' ;; failed) verdict=FAILED ;; esac
  [ -z "$reason" ] || alert "botgarden: backup of $host${only:+, database $only} $verdict: $reason"
  case $result in
    ok) echo "taken: $(cat "$run/name")" ;;
    incomplete) echo "taken: $(cat "$run/name"), without what failed: $reason" >&2; exit 1 ;;
    failed) echo "failed: $reason" >&2; exit 1 ;;
  esac
}

# Before the work as well: by the process that it names, whoever reads it sees whether that was killed.
record() {
  jq -e . "$status" >"$run/before" 2>/dev/null || echo null >"$run/before"
  jq -n --slurpfile before "$run/before" --slurpfile warnings "$run/warnings" --slurpfile failed "$run/failed" \
    --arg result "$result" --arg at "$(date -u +%FT%TZ)" --arg process "$(process)" --arg run "${run##*.}" \
    --arg reason "$reason" --arg name "$(cat "$run/name")" --arg bytes "$(cat "$run/total")" --arg seconds $(($(uptime) - began)) \
    "$visible"'{format: 1, run: $run, process: $process, result: $result, at: $at, seconds: ($seconds | tonumber),
      reason: $reason, failed: $failed, warnings: ($warnings[0] | map(visible))}
     + if $result == "ok" then {lastGood: $name, bytes: ($bytes | tonumber)}
       else {lastGood: $before[0].lastGood?, bytes: $before[0].bytes?} end
     + if $result == "incomplete" then {taken: {name: $name, bytes: ($bytes | tonumber)}} else {} end' >"$status.new" &&
    sync "$status.new" && mv -f "$status.new" "$status"
}

# Its number, and when it began: no other one will ever have both.
process() { cut -d ' ' -f 1,22 "/proc/$$/stat"; }

alert() {
  [ -z "$alert_command" ] || printf '%s\n' "$1" | timeout 60 sh -c "$alert_command" >/dev/null 2>&1 9>&- || echo 'the alert command failed' >&2
  # By stdin: an address that alerts is often a secret by itself.
  [ -z "$alert_url" ] || { printf '%s\n' "$1" >"$run/alert"; printf 'url = "%s"\n' "$alert_url" |
    curl --silent --show-error --fail --max-time 30 --data-binary "@$run/alert" --config - >/dev/null; } || echo 'the alert could not be sent' >&2
}

# --- the work: what goes wrong with one part is kept, and the rest goes on; anything else ends it, with the reason as its last words ---

work() {
  now=$(date -u +%FT%H%M%SZ)
  name=$now${only:+-$only}
  find "$store" -maxdepth 1 -name '.partial-*' -exec rm -rf {} +
  refuse_full_disk
  previous
  partial=$store/.partial-$name
  mkdir "$partial"
  mkfifo "$run/to-sum" "$run/to-count" "$run/to-check"
  list
  [ -n "$only" ] || {
    part '{"kind": "globals"}' globals.sql.age check_globals in_server pg_dumpall --globals-only
    part '{"kind": "files"}' files.tar.age check_files files
  }
  while IFS= read -r entry <&3; do
    database=$(printf %s "$entry" | jq -r .database)
    part "$entry" "$(printf %s "$entry" | jq -r .file)" check_dump dump
  done 3<"$run/databases"
  while read -r kind bot <&3; do
    part "{\"kind\": \"$kind\", \"bot\": \"$bot\"}" "$kind-$bot.tar.age" check_files_of files_of "$kind" "$bot"
  done 3<"$run/data"
  database= cap=120
  [ -s "$run/parts" ] || fail "$(reasons)"
  manifest
  (cd "$partial" && sha256sum -- * >"$run/sums" && mv "$run/sums" SHA256SUMS) || fail 'checksums could not be written'
  sign
  sync "$partial"/* "$partial" || fail 'the backup could not be brought to the disk'
  du --bytes --summarize "$partial" | cut -f 1 >"$run/total"
  [ ! -e "$store/$name" ] || fail "$store/$name is there already: is the clock right?"
  mv -T "$partial" "$store/$name" && sync "$store" || fail 'the backup could not be renamed into its place'
  printf %s "$name" >"$run/name"
  retain
  [ ! -s "$run/failed" ] || exit "$incomplete"
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
}

# What the new one is compared with: the last one, and of what it lacks the newest there is.
previous() {
  last=$(series | awk -v now="$now" 'substr($0, 1, 18) <= now { print; exit }')
  echo null >"$run/last"
  [ -n "$last" ] || return 0
  jq -e . "$store/$last/manifest.json" >"$run/newest" || fail "$store/$last/manifest.json: no JSON: move that backup away"
  for lost in $(jq -r '.failed[]?.file' "$run/newest"); do
    series | while read -r old; do
      jq -ce --arg file "$lost" '.time as $time | .parts[] | select(.file == $file) | {$time} + .' "$store/$old/manifest.json" 2>/dev/null && break
    done
  done >"$run/older"
  jq --slurpfile older "$run/older" '.parts += $older' "$run/newest" >"$run/last"
}

# Every database, whatever its owner has made of it: one that cannot be entered has failed. The small ones come first, so that
# neither the time nor the disk is used up when it is their turn.
list() {
  in_server psql -XqAt -d postgres -v ON_ERROR_STOP=1 -c "
    select json_build_object('kind', 'database', 'database', datname, 'owner', pg_get_userbyid(datdba), 'file', 'database-' ||
      case when datname ~ '^[A-Za-z0-9_]+\$' then datname else '=' || encode(convert_to(datname, 'UTF8'), 'hex') end || '.dump.age')
    from pg_database where datname not in ('template0', 'template1') and datname not like 'botgarden-%'
    order by pg_database_size(oid), datname" >"$run/all" 2>"$run/list.errors" ||
    fail "the databases cannot be listed: $(words "$run/list.errors")"
  jq -c --arg only "$only" 'select($only == "" or .database == $only)' "$run/all" >"$run/databases"
  # The lasting files of bots and of their caches. Those of one database are of the bot that it belongs to.
  for folder in "$lasting"/*/current/*/ "$lasting"/*/cache/; do
    bot=${folder#"$lasting/"}
    bot=${bot%%/*}
    kind=data
    [ "$folder" != "$lasting/$bot/cache/" ] || kind=cache
    [ ! -d "$folder" ] || { [ -n "$only" ] && [ "$(echo "$bot" | tr - _)" != "$only" ]; } || echo "$kind $bot"
  done | uniq >"$run/data"
  [ -s "$run/databases" ] || [ -s "$run/data" ] || fail "there is no database \"$only\": there are $(jq -r .database "$run/all" | sort | paste -s -d ' ')"
  parts=$(($(cat "$run/databases" "$run/data" | wc -l) + $([ -n "$only" ] && echo 0 || echo 2)))
}

manifest() {
  jq -r -n --slurpfile last "$run/last" --slurpfile parts "$run/parts" --slurpfile failed "$run/failed" '
    $last[0] // {parts: []} | .time as $newest | .parts[] | . as $old | (.time // $newest) as $time
    | ([$parts[], $failed[] | select(.file == $old.file)] | first) as $new
    | if $new == null then "\($old.file): is gone, and was there at \($time)"
      elif $new.size and $old.size > 100000 and $new.size * 2 < $old.size
      then "\($old.file): \($new.size) bytes, less than half of the \($old.size) of \($time)" else empty end' >"$run/doubts"
  jq -R -n '[inputs]' "$run/doubts" >"$run/warnings"
  # With something missing it is of a format that nobody takes for a whole one.
  jq -n --arg host "$host" --arg time "$(printf %s "$now" | sed 's/\(..\)\(..\)Z$/:\1:\2Z/')" --arg only "$only" \
    --arg server "$(in_server psql -XqAt -d postgres -c 'show server_version')" --slurpfile failed "$run/failed" \
    --rawfile recipients "$home/recipients" --slurpfile warnings "$run/warnings" --slurpfile parts "$run/parts" \
    '{format: (if $failed == [] then 1 else 2 end), host: $host, time: $time, only: (if $only == "" then null else $only end),
      server: $server, recipients: [$recipients | split("\n")[] | select(startswith("age1"))], warnings: $warnings[0], parts: $parts}
     + if $failed == [] then {} else {failed: $failed} end' \
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
  present=$(jq -r .file "$run/parts" "$run/failed" | paste -s -d ' ')
  series | while read -r old; do
    lacks=
    ! grep -qs '"failed"' "$store/$old/manifest.json" ||
      lacks=$(jq -r '[.failed[].file] | join(" ")' "$store/$old/manifest.json" 2>/dev/null) || lacks=$present
    printf '%s %s\n' "$old" "$lacks"
  done | awk -v parts="$present" -v now="$now" -v daily="$daily" -v weekly="$weekly" -v monthly="$monthly" -f "$home/retention.awk" >"$run/verdicts"
  while read -r verdict old; do
    case $verdict in
      # Cut in the middle, a removal must not leave what looks like a backup.
      remove) mv -T "$store/$old" "$store/.partial-$old" && rm -rf "$store/.partial-$old" ;;
      future) printf '%s: from the future by the clock of this host, which was or is wrong: kept\n' "$old" >>"$run/doubts" ;;
    esac
  done <"$run/verdicts"
  jq -R -n '[inputs]' "$run/doubts" >"$run/warnings"
}

reasons() { jq -r -s 'map("\(.database // if .bot then .kind + " of " + .bot else .kind end): \(.reason)") | join("; ")' "$run/failed"; }
# The end of what a program has printed, as one line. It quotes names that bots have chosen, and is read on terminals and in chats:
# a sign that does more than stand there is shown as its number.
words() { tail -n 3 "$1" 2>/dev/null | jq -R -s -r "$visible"'split("\n") | map(select(. != "")) | join(" ") | visible'; }
visible='
  def hex: if . < 16 then "0123456789abcdef"[.:. + 1] else (. / 16 | floor | hex) + (. % 16 | hex) end;
  def visible: gsub("\t"; " ") | gsub("(?<sign>[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}])"; "\\u" + ("000" + (.sign | explode[0] | hex) | .[-([4, length - 3] | max):]))
    | if length > 600 then .[:600] + "…" else . end;
'
uptime() { cut -d . -f 1 /proc/uptime; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

wait=--nonblock only= step=main database= cap=120 incomplete=4
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
