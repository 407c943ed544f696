# shellcheck shell=dash
# Watches this host: a run a minute, by a timer. What it works with is in memory; what has been told is kept on the disk as well.
watch_main() {
  # shellcheck disable=SC2046
  set -- "${1:-}" $(date '+%s %Y%m%d %H:%M')
  now=$2 today=$3 clock=$4 undelivered='' overdue=''
  if [ "$1" = --prove ]; then
    prove
    return
  fi
  recall
  if [ "$1" = --standby ]; then
    ! standby_news || systemctl start --no-block botgarden-watch.service
    return
  fi
  booted
  last=$((now - 60))
  noted last
  # A run that was passed over is made up for, but not one of hours ago.
  [ "$noted" -le $((now - 300)) ] || [ "$noted" -gt "$now" ] || last=$noted
  for each in found unknown facts replicas; do : >"$run/$each"; done
  for check in bots containers beside firewall disks certificates backups archive standby gate replicas server upkeep hooks clock; do
    "watch_$check" || bad "watch:$check" "the check of $check cannot be made" "on the host: journalctl -u botgarden-watch"
  done
  # Where its own memory is full, nothing is found either.
  echo "$now" >"$run/last" || undelivered=yes
  for sink in $sinks; do tell "$sink" || undelivered=yes; done
  summary
  keep
  # Whoever waits for this learns by silence that the host, the watch or its way to its chat is gone.
  [ -z "$deadman" ] || [ -n "$undelivered" ] ||
    printf 'url = "%s"\noutput = "/dev/null"\n' "$deadman" | curl --silent --max-time 10 --config - 2>/dev/null || :
}
# booted: into $up, the seconds since then. In a container that is the age of its first process; the rest is the machine's below.
booted() {
  read -r up _ </proc/uptime
  up=${up%.*}
  [ ! -r /proc/1/stat ] || read -r first </proc/1/stat
  # shellcheck disable=SC2086
  [ -z "${first:-}" ] || set -- ${first##*) }
  # Some show their own uptime, and this by the clock below.
  [ $((${20:-0} / 100)) -gt "$up" ] || up=$((up - ${20:-0} / 100))
}
# After a boot the memory is empty.
recall() {
  mkdir -p "$run" "$state"
  for file in "$state"/*.table "$state"/digest.*; do
    [ ! -e "$file" ] || [ -e "$run/${file##*/}" ] || head -c 200000 "$file" >"$run/${file##*/}"
  done
}
# A full disk keeps nobody from being told.
keep() {
  for file in "$run"/*.table "$run"/digest.*; do
    kept=$state/${file##*/}
    [ -e "$file" ] || continue
    cmp -s "$file" "$kept" || { cp "$file" "$kept.new" && mv -f "$kept.new" "$kept"; } 2>/dev/null || rm -f "$kept.new"
  done
  for file in "$run"/pending.*; do
    [ -e "/var/lib/botgarden/bots/${file##*/pending.}" ] || rm -f "$file"
  done
}
# Each sink gets a message now, whatever it has asked for; fails with the reason where one does not take it.
prove() {
  mkdir -p "$run"
  printf '👋 botgarden watches %s from now on: alerts come here.\n' "$host" >"$run/proof"
  failed=0
  for sink in $sinks; do
    rm -f "$run/$sink.until"
    send "$sink" "$run/proof" || failed=1
    # Who refuses here is not the one that alerts go to until then.
    rm -f "$run/$sink.until"
  done
  rm -f "$run/proof"
  return "$failed"
}
watch_main "$@"
