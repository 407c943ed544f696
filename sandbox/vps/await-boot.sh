# shellcheck shell=dash
for _ in $(seq 600); do
  state=$(systemctl is-system-running 2>/dev/null)
  case $state in running | degraded) break ;; esac
  sleep 0.1
done
echo "$state"
systemctl list-units --failed --plain --no-legend
systemctl list-jobs --no-legend
