# shellcheck shell=dash
# Containers that nobody has asked for, and ports that a container opens past the firewall.
watch_beside() {
  [ -n "$engine_told" ] || {
    unknown 'unknown:*'
    unknown 'port:*'
    return 0
  }
  rules=/etc/ufw/user.rules
  [ -e "$rules" ] || rules=/dev/null
  awk -v expected="$expected" -f "$home/beside.awk" part=rules "$rules" part=engine "$run/told" >"$run/beside"
  while read -r what name published; do
    case $what in
    unknown) beside_release "$name" ;;
    port)
      bad "port:$name:$published" "the container $name publishes port $published, which no rule of ufw opens" \
        "on the host: docker rm -f $name; a port that is meant stands in ufw.allow"
      ;;
    esac
  done <"$run/beside"
}
beside_release() {
  bot_of "$1"
  case " $bots " in
  *" $bot "*) bad "unknown:$1" "$bot: its container $1 runs, and is none of its release" "npx zx playbooks/bot.ts --name $bot" ;;
  *)
    # Of a bot whose record cannot be read that is told.
    [ -e "/var/lib/botgarden/bots/$bot/current.json" ] ||
      bad "unknown:$1" "an unknown bot: the container $1 is of no bot that this host has" "on the host: docker rm -f $1"
    ;;
  esac
}
