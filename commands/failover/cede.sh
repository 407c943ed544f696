# shellcheck shell=dash
# This host was stopped, and serves $bot no more: its place is $place. What it had stays, stopped and whole.
[ -e "$state/current.json" ] || exit 0
for each in /etc/systemd/system/botgarden-job-"$bot".*.timer; do
  [ ! -e "$each" ] || systemctl disable --now --quiet "${each##*/}"
done
systemctl stop "botgarden-job-$bot.*.service" 2>/dev/null || :
docker ps --all --quiet --filter "label=botgarden.bot=$bot" | xargs -r docker update --restart no >/dev/null
[ -z "$(docker ps --quiet --filter "label=botgarden.bot=$bot")" ] || { echo "$bot runs here"; exit 1; }
decide
