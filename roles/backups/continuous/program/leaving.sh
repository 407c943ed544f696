# shellcheck shell=dash
# What goes of the archive, and what is sent to another place.

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
