# shellcheck shell=dash
# Security updates, the reboot that they ask for, and units that have failed.
watch_upkeep() {
  if [ -e /run/reboot-required ]; then
    packages=$(sort -u /run/reboot-required.pkgs 2>/dev/null | head -n 5 | tr -c 'A-Za-z0-9.+-' ' ')
    bad reboot "it needs a reboot${packages:+, for ${packages% }}" 'on the host: systemctl reboot'
  fi
  [ ! -e /etc/apt/apt.conf.d/52botgarden ] || watch_updates
  set -- apt-daily.service apt-daily-upgrade.service certbot.service
  for unit_is in $(systemctl is-failed "$@"); do
    [ "$unit_is" != failed ] || bad "unit:$1" "$1 has failed" "on the host: journalctl -u $1 -n 30"
    shift
  done
}
# By the log of the last run; and by its stamp, where none has ended well for long.
watch_updates() {
  next='on the host: unattended-upgrade --dry-run --debug'
  said=$(upgrade_fault)
  if [ -n "$said" ]; then bad updates "unattended-upgrades fails: $said" "$next"
  elif [ "$up" -gt 86400 ] && [ -z "$(find /var/lib/apt/periodic/upgrade-stamp /etc/apt/apt.conf.d/52botgarden -mmin -4320 2>/dev/null)" ]; then
    bad updates 'no security updates have been looked for in 3 days' "$next"
  fi
}
