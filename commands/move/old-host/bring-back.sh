# shellcheck shell=dash
# The bot serves here as before it was stopped, unless it was given away.
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
