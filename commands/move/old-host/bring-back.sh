# shellcheck shell=dash
# The bot serves here as before it was stopped, unless it was given away, or another release serves by now.
{ [ -e "$state/stopped" ] && [ -e "$state/current.json" ]; } || exit 0
of=$(head -n 1 "$state/stopped")
case $(head -n 1 "$state/current.json") in
"${of:-none}"*)
  sed 1d "$state/stopped" >"$state/stopped.new"
  while read -r each; do
    # Without one that is gone, which site.ts makes again.
    docker container inspect "$each" >/dev/null 2>&1 </dev/null || continue
    docker update --restart always "$each" >/dev/null
    docker start "$each" >/dev/null </dev/null
  done <"$state/stopped.new"
  ;;
esac
for each in /etc/systemd/system/botgarden-job-"$bot".*.timer; do
  [ ! -e "$each" ] || systemctl enable --now --quiet "${each##*/}"
done
rm -f "$state/stopped" "$state/stopped.new"
echo started
