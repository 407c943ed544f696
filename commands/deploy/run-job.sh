# shellcheck shell=dash
# run_job UNIT: starts it, prints what it says until it has ended, and exits with 0, 1 where it failed, 9 where it runs already.
# The unit is not of this connection: it goes on where that is cut.
run_job() {
  case $(systemctl show --property=ActiveState --value "$1.service") in activating | deactivating | active | reloading) exit 9 ;; esac
  before=$(systemctl show --property=InvocationID --value "$1.service")
  systemctl start --no-block "$1.service"
  begin_wait 30
  while time_left; do
    invocation=$(systemctl show --property=InvocationID --value "$1.service")
    [ -z "$invocation" ] || [ "$invocation" = "$before" ] || break
    sleep 0.2
  done
  (umask 077; mkdir -p "$scratch")
  cursor=$(mktemp "$scratch/job.XXXXXX")
  trap 'rm -f "$cursor"' EXIT
  while [ "$(systemctl show --property=ActiveState --value "$1.service")" = activating ]; do
    said_since
    sleep 0.5
  done
  journalctl --sync 2>/dev/null || :
  said_since
  [ "$(systemctl show --property=Result --value "$1.service")" = success ] || exit 1
}
said_since() { journalctl --quiet --no-pager --output=cat --cursor-file="$cursor" "_SYSTEMD_INVOCATION_ID=$invocation" 2>/dev/null || :; }
