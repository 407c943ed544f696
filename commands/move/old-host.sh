# shellcheck shell=dash
# On the host that a bot leaves: $bot, its $state, the name of its $cache, its $database. What decides is one rename.
under_lock() (
  flock 6
  "$@"
) 6>>"/run/botgarden/move-$bot.lock"
# stop_bot: no job begins as long as the shell has file 5 open, none runs, and nothing of the bot does.
stop_bot() {
  flock -w 180 5 || { echo 'a job has been starting for 180 s'; exit 1; }
  begin_wait 60
  while jobs=$(docker ps --format '{{.Names}}' --filter "label=botgarden.bot=$bot" | grep '\.job$'); do
    time_left || { printf '%s\n' 'jobs run that would be cut; move it when they have ended:' "$jobs"; exit 1; }
    sleep 1
  done
  # The cache first, which the others need when they start again.
  { docker ps --format '{{.Names}}' --filter "name=^$cache\$"; docker ps --format '{{.Names}}' --filter "label=botgarden.bot=$bot" | sort; } >"$state/stopped.new"
  sync "$state/stopped.new"
  mv -fT "$state/stopped.new" "$state/stopped"
  grep -vxF "$cache" "$state/stopped" | xargs -r docker stop --time 20 >/dev/null
  grep -xF "$cache" "$state/stopped" | xargs -r docker stop --time 20 >/dev/null
  no_sessions
}
no_sessions() {
  [ -z "$database" ] || printf '%s\n' "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '$database'" |
    docker exec -i botgarden-postgres psql -XqAt -v ON_ERROR_STOP=1 -U postgres >/dev/null
}
still_stopped() {
  # Since a boot or a hand may have started them.
  again=$(docker ps --format '{{.Names}}' --filter "label=botgarden.bot=$bot"; docker ps --format '{{.Names}}' --filter "name=^$cache\$")
  [ -z "$again" ] || { printf '%s\n' 'it was started meanwhile:' "$again"; exit 1; }
  [ "$(docker ps --all --format '{{.Names}}' --filter "label=botgarden.bot=$bot" | xargs -r docker container inspect --format '{{.State.StartedAt}}' | sort | tail -n 1)" = "$1" ] ||
    { echo 'it was started and stopped meanwhile'; exit 1; }
}
last_start() {
  docker ps --all --format '{{.Names}}' --filter "label=botgarden.bot=$bot" | xargs -r docker container inspect --format '{{.State.StartedAt}}' | sort | tail -n 1
}
# give_away STARTED PLACE: from here on this host never serves the bot. No boot starts it, which comes first.
give_away() {
  [ -e "$state/current.json" ] || exit 0
  still_stopped "$1"
  for each in /etc/systemd/system/botgarden-job-"$bot".*.timer; do
    [ ! -e "$each" ] || systemctl disable --now --quiet "${each##*/}"
  done
  # One that waits until jobs may begin.
  systemctl stop "botgarden-job-$bot.*.service" 2>/dev/null || :
  { docker ps --all --format '{{.Names}}' --filter "label=botgarden.bot=$bot"; cat "$state/stopped"; } | sort -u | xargs -r docker update --restart no >/dev/null
  still_stopped "$1"
  printf '%s\n' "$2" >"$state/place.json.new"
  sync "$state/place.json.new"
  mv -fT "$state/place.json.new" "$state/place.json"
  sync "$state"
  mv -fT "$state/current.json" "$state/released.json"
  sync "$state"
}
# bring_back: it serves here as before, unless it was given away.
bring_back() {
  { [ -e "$state/stopped" ] && [ -e "$state/current.json" ]; } || exit 0
  while read -r each; do
    docker update --restart always "$each" >/dev/null
    docker start "$each" >/dev/null </dev/null
  done <"$state/stopped"
  for each in /etc/systemd/system/botgarden-job-"$bot".*.timer; do
    [ ! -e "$each" ] || systemctl enable --now --quiet "${each##*/}"
  done
  rm -f "$state/stopped"
  echo started
}
# take_back PLACE: what was given away and was never released elsewhere.
take_back() {
  [ -e "$state/released.json" ] || { echo "$state/released.json is gone"; exit 1; }
  printf '%s\n' "$1" >"$state/place.json.new"
  sync "$state/place.json.new"
  mv -fT "$state/place.json.new" "$state/place.json"
  rm -f "$state/stopped"
  mv -fT "$state/released.json" "$state/current.json"
  sync "$state"
}
