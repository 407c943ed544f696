# shellcheck shell=dash
# stop_bots: no job begins any more, none runs, and every bot is stopped: its updates wait at Telegram.
stop_bots() {
  rm -f "$work/held"
  # shellcheck disable=SC2016
  set -- sh -c 'echo $$ >"$1.new"; mv -fT "$1.new" "$1"; exec sleep infinity' sh "$work/held"
  for each in /var/lib/botgarden/bots/*/; do
    each=${each%/}
    [ ! -d "$each" ] || set -- flock -w 180 "/run/botgarden/jobs-${each##*/}.lock" "$@"
  done
  [ ! -d /opt/botgarden/backups ] || set -- flock -w 180 /opt/botgarden/backups/lock "$@"
  "$@" >/dev/null 2>&1 &
  while [ ! -e "$work/held" ]; do
    kill -0 $! 2>/dev/null || { echo 'a backup or a job has been starting for 180 s: nothing was changed'; exit 1; }
    sleep 0.2
  done
  begin_wait 60
  while jobs=$(docker ps --format '{{.Names}}' --filter label=botgarden.bot | grep '\.job$'); do
    time_left || { printf '%s\n' 'jobs run, and use their database: nothing was changed; run again when they have ended:' "$jobs"; exit 1; }
    sleep 1
  done
  docker ps --format '{{.Names}}' --filter label=botgarden.bot | xargs -r docker stop --time 20 >/dev/null
}
# start_bots: everything that a boot would start, and jobs may begin.
start_bots() {
  # What holds the locks ends with the innermost of them.
  { read -r each <"$work/held" && kill "$each"; } 2>/dev/null || :
  docker ps --all --filter label=botgarden.bot --filter status=exited --format '{{.Names}}' |
    xargs -r docker container inspect --format '{{.HostConfig.RestartPolicy.Name}} {{.Name}}' |
    sed -n 's#^always /##p' | xargs -r docker start >/dev/null
}
