# shellcheck shell=dash
# Secrets of the bot $bot in the folder $secrets. What is made anew is in NAME.new until all of it is there.
fresh() {
  rm -f "$secrets/$1.new"
  (umask 077; head -c 32 /dev/urandom | base64 --wrap=0 | tr '+/' '-_' | tr -d '=' >"$secrets/$1.new")
  [ "$(stat -c %s "$secrets/$1.new")" = 43 ]
  chown --reference "$secrets/$1" "$secrets/$1.new"
  chmod 0400 "$secrets/$1.new"
  sync "$secrets/$1.new"
}
no_job_runs() {
  begin_wait 60
  while docker ps --format '{{.Names}}' --filter "label=botgarden.bot=$bot" | grep -q '\.job$'; do
    time_left || { echo "a job of $bot runs with the old secrets: nothing was changed; run again when it has ended"; exit 1; }
    sleep 1
  done
}
stop_containers() {
  stopped=$(docker ps --format '{{.Names}}' --filter "label=botgarden.bot=$bot")
  printf '%s\n' "$stopped" | xargs -r docker stop --time 20 >/dev/null
}
# The bot is never left stopped. Where files are new, its containers are older than them: the next run starts them again.
restart_stopped() {
  trap - EXIT
  rm -f "$secrets"/*.new
  printf '%s\n' "$stopped" | xargs -r docker start >/dev/null || :
  echo "not all secrets of $bot are in force: run site.ts"
  exit 1
}
# renew_cache CONTAINER CLIENT CONFIG: the password of a server that runs, without a restart, by which it would forget.
renew_cache() {
  old=$(cat "$secrets/cache-password")
  mv -fT "$secrets/cache-password.new" "$secrets/cache-password"
  password=$(cat "$secrets/cache-password")
  said=$(printf '%s\n' "AUTH $old" "CONFIG SET requirepass $password" | docker exec -i "$1" "$2" | sort -u)
  [ "$said" = OK ] || { echo "$1 does not take its new password: $said"; exit 1; }
  # By what the shell does itself: an argument of a process can be seen by others.
  (umask 077; { printf 'requirepass %s\n' "$password"; tail -n +2 "$3"; } >"$3.new")
  chown --reference "$3" "$3.new"
  chmod 0400 "$3.new"
  sync "$3.new"
  mv -fT "$3.new" "$3"
}
