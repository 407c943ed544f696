# shellcheck shell=dash
# No job of the bot begins as long as the shell has file 5 open, none runs, and nothing of the bot does.
# What was prepared is of this release.
case $(head -n 1 "$state/current.json" 2>/dev/null) in
"$release"*) ;;
*) echo 'another release serves here by now, or none: run this again'; exit 1 ;;
esac
flock -w 180 5 || { echo 'a job has been starting for 180 s'; exit 1; }
begin_wait 60
while jobs=$(docker ps --format '{{.Names}}' --filter "label=botgarden.bot=$bot" | grep '\.job$'); do
  time_left || { printf '%s\n' 'jobs run that would be cut; move it when they have ended:' "$jobs"; exit 1; }
  sleep 1
done
# What a run that was cut has stopped belongs to it, while the same release serves.
former=''
[ "$(head -n 1 "$state/stopped" 2>/dev/null)" != "$release" ] || former=$(sed 1d "$state/stopped")
all=$({ docker ps --format '{{.Names}}' --filter "name=^$cache\$"; docker ps --format '{{.Names}}' --filter "label=botgarden.bot=$bot"; printf '%s\n' "$former"; } | sort -u)
# The cache first, which the others need when they start again.
{ printf '%s\n' "$release"; printf '%s\n' "$all" | grep -xF "$cache" || :; printf '%s\n' "$all" | grep . | grep -vxF "$cache" || :; } >"$state/stopped.new"
sync "$state/stopped.new"
mv -fT "$state/stopped.new" "$state/stopped"
sed 1d "$state/stopped" | grep -vxF "$cache" | xargs -r docker stop --time 20 >/dev/null
sed 1d "$state/stopped" | grep -xF "$cache" | xargs -r docker stop --time 20 >/dev/null
[ -z "$database" ] || printf '%s\n' "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '$database'" |
  docker exec -i botgarden-postgres psql -XqAt -v ON_ERROR_STOP=1 -U postgres >/dev/null
# When it was started last.
docker ps --all --format '{{.Names}}' --filter "label=botgarden.bot=$bot" | xargs -r docker container inspect --format '{{.State.StartedAt}}' | sort | tail -n 1
