# shellcheck shell=dash
# From here on this host never serves the bot, which was started last at $started: its place is $place. No boot starts it, which comes first.
still_stopped() {
  # Since a boot or a hand may have started them.
  again=$(docker ps --format '{{.Names}}' --filter "label=botgarden.bot=$bot"; docker ps --format '{{.Names}}' --filter "name=^$cache\$")
  [ -z "$again" ] || { printf '%s\n' 'it was started meanwhile:' "$again"; exit 1; }
  [ "$(docker ps --all --format '{{.Names}}' --filter "label=botgarden.bot=$bot" | xargs -r docker container inspect --format '{{.State.StartedAt}}' | sort | tail -n 1)" = "$started" ] ||
    { echo 'it was started and stopped meanwhile'; exit 1; }
}
[ -e "$state/current.json" ] || exit 0
still_stopped
for each in /etc/systemd/system/botgarden-job-"$bot".*.timer; do
  [ ! -e "$each" ] || systemctl disable --now --quiet "${each##*/}"
done
# One that waits until jobs may begin.
systemctl stop "botgarden-job-$bot.*.service" 2>/dev/null || :
{ docker ps --all --format '{{.Names}}' --filter "label=botgarden.bot=$bot"; sed 1d "$state/stopped"; } | sort -u | xargs -r docker update --restart no >/dev/null
still_stopped
decide
