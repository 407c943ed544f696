# shellcheck shell=dash
guard=/var/lib/botgarden/guard
if mv "$guard/armed" "$guard/confirmed" 2>/dev/null; then verdict=confirmed
else
  # The host was faster; it may still be reverting.
  for _ in $(seq 60); do [ -e "$guard/reverting" ] || break; sleep 1; done
  [ ! -e "$guard/reverting" ] || { echo 'the host is still reverting it'; exit 1; }
  if [ -e "$guard/reverted" ]; then verdict=reverted
  # Another connection has cleared everything away already: it noted what was decided.
  else verdict=$(cat /run/botgarden/verdict 2>/dev/null) || verdict=confirmed
  fi
fi
(umask 077; mkdir -p /run/botgarden)
echo "$verdict" >/run/botgarden/verdict
systemctl stop botgarden-guard.timer 2>/dev/null || :
systemctl disable --quiet botgarden-guard.service 2>/dev/null || :
rm -rf /etc/systemd/system/botgarden-guard.service "$guard"
systemctl daemon-reload
echo "verdict $verdict"
