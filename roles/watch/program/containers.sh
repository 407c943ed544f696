# shellcheck shell=dash
# The containers that should run: those of the serving releases, and of the host itself. Of what an apply has under way nothing is said.
watch_bots() {
  set --
  for file in /var/lib/botgarden/bots/*/current.json /var/lib/botgarden/bots/*/jobs/*.json; do
    if [ -s "$file" ]; then set -- "$@" "$file"
    elif [ -e "$file" ]; then
      bot=${file#/var/lib/botgarden/bots/}
      case $file in */current.json) bad "record:${bot%%/*}" "${bot%%/*}: the record of its release is empty" 'npx zx playbooks/site.ts' ;; esac
    fi
  done
  : >"$run/bots"
  [ $# = 0 ] || grep -s -H -m 1 '' -- "$@" | jq -n -R -r -f "$home/bots.jq" | take >"$run/bots"
}
watch_containers() {
  expected='' bots='' engine_told=''
  for each in postgres nginx archive; do
    [ ! -e "/opt/botgarden/$each/compose.yaml" ] || expected="$expected botgarden-$each"
  done
  while read -r _ bot _ _ containers; do
    bots="$bots $bot"
    expected="$expected $containers"
  done <"$run/bots"
  [ "$up" -ge 120 ] || [ -e "$run/settled" ] || ! ask_engine || [ -s "$run/wrong" ] || : >"$run/settled"
  if busy; then
    unknown 'container:*'
    unknown 'memory:*'
    unknown engine
    return
  fi
  ask_engine || {
    unknown 'container:*'
    unknown 'memory:*'
    bad engine 'Docker does not answer' "on the host: systemctl status docker; then npx zx playbooks/site.ts"
    return
  }
  # What has just fallen over may be up again in a moment.
  if is_new; then
    sleep 8
    if busy || ! ask_engine; then
      unknown 'container:*'
      unknown 'memory:*'
      return
    fi
  fi
  mv -f "$run/containers.new" "$run/containers"
  engine_told=yes
  while read -r what name detail; do
    bot_of "$name"
    next='npx zx playbooks/site.ts'
    [ -z "$bot" ] || next="npx zx playbooks/bot.ts --name $bot --logs"
    case $what in
    memory) bad "memory:$name" "${bot:-the host}: its container $name ran out of memory" "$next" ;;
    down) bad "container:$name" "${bot:-the host}: its container $name $detail" "$next" ;;
    esac
  done <"$run/wrong"
}
# ask_engine: into the files `wrong` and `containers.new`. One request for all; the engine's own client takes 30 MB.
ask_engine() {
  [ -e "$run/containers" ] || : >"$run/containers"
  : >"$run/containers.new"
  asked=$(date +%s)
  {
    # First, since what is said of a container goes by it.
    printf 'url = "http://docker/events?since=%s&until=%s&filters=%%7B%%22event%%22:%%5B%%22oom%%22%%5D%%7D"\n' "$last" "$asked"
    # shellcheck disable=SC2086
    printf 'url = "http://docker/containers/%s/json"\n' $expected
    printf 'url = "http://docker/containers/json"\n'
  } | curl --silent --globoff --max-time 20 --unix-socket /run/docker.sock --config - >"$run/engine" || return 1
  jq -r -f "$home/engine.jq" "$run/engine" >"$run/told"
  awk -v now="$asked" -v most="$restarts" -v expected="$expected" -v notes="$run/containers.new" -f "$home/restarts.awk" \
    part=notes "$run/containers" part=engine "$run/told" >"$run/wrong"
}
# is_new: something is wrong that nobody has been told of.
is_new() {
  while read -r _ name _; do
    cut -f 1 "$run"/*.table 2>/dev/null | grep -qxF -e "container:$name" -e "memory:$name" || return 0
  done <"$run/wrong"
  return 1
}
# busy: somebody applies something to this host; for longer than a quarter of an hour that is no excuse. No lock is touched for that.
busy() {
  # All comes back with a boot, and takes its time for that.
  [ "$up" -ge 120 ] || [ -e "$run/settled" ] || return 0
  held=''
  inodes=$(stat -c %i /run/botgarden/lock /run/botgarden/step 2>/dev/null)
  [ -z "$inodes" ] || while read -r _ _ _ _ _ place _; do
    for inode in $inodes; do
      case $place in *:"$inode") held=yes ;; esac
    done
  done </proc/locks
  # A container sees no lock there that was taken by a process which has ended.
  [ -n "$held" ] || [ -z "$container" ] ||
    held=$(find /proc/[0-9]*/fd -lname /run/botgarden/lock -o -lname /run/botgarden/step 2>/dev/null | sed 's#/fd/#/fdinfo/#' | xargs -r grep -ls '^lock:')
  if [ -z "$held" ]; then
    [ ! -e "$run/busy" ] || rm -f "$run/busy"
    return 1
  fi
  [ -s "$run/busy" ] || echo "$now" >"$run/busy"
  noted busy
  [ $((now - noted)) -ge 900 ] || return 0
  # What is said of the rest then may come of that.
  [ -n "$overdue" ] || bad apply 'something has been applied to it for more than a quarter of an hour' 'on the host: cat /run/botgarden/holder'
  overdue=yes
  return 1
}
