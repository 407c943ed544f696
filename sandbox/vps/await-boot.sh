# shellcheck shell=dash
# only_ours: all that systemd has yet to do is what timers of botgarden begin, again and again, which is no part of a boot.
only_ours() {
  systemctl is-active --quiet multi-user.target && ! systemctl list-jobs --no-legend | awk '{ print $2 }' | grep -qv '^botgarden-'
}
for _ in $(seq 600); do
  state=$(systemctl is-system-running 2>/dev/null)
  case $state in
  running | degraded) break ;;
  starting)
    ! only_ours || {
      state=running
      break
    }
    ;;
  esac
  sleep 0.1
done
echo "$state"
systemctl list-units --failed --plain --no-legend
systemctl list-jobs --no-legend
