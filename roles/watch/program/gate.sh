# shellcheck shell=dash
# The gate of a host of a pair, by what it has judged: it alone lets bots and a server that takes changes run.
watch_gate() {
  [ -e /opt/botgarden/gate/gate ] || return 0
  # After a boot it asks its peer, and may have to wait for it.
  [ "$up" -ge 120 ] || return 0
  at='' says=''
  { IFS= read -r at; IFS= read -r says; } 2>/dev/null </run/botgarden/gate/verdict
  case $at in '' | *[!0-9]*) at=0 ;; esac
  idle=$((now - at))
  [ "$at" != 0 ] || idle=$up
  [ "$idle" -lt 300 ] || bad gate:silent "its gate has not judged for $((idle / 60)) minutes" 'npx zx playbooks/site.ts'
  if [ "$(primary_name)" != "$host" ] || [ "${says#open}" != "$says" ]; then
    rm -f "$run/since.gate"
    return
  fi
  lasts gate || return 0
  if busy; then
    unknown gate:shut
    return
  fi
  peer=$(standby_name)
  case $says in
  *'stopped for a failover'*) next="to give it up: npx zx playbooks/failover.ts --from $peer --to $host; to end it: npx zx playbooks/failover.ts --from $host --to $peer" ;;
  *'does not answer'*) next="if $peer serves nothing: npx zx playbooks/failover.ts --from $peer --to $host --old-host-is-gone" ;;
  *) next='npx zx playbooks/site.ts' ;;
  esac
  bad gate:shut "its gate is shut, so no bot runs: ${says#shut }" "$next"
}
standby_name() { sed -n 's/.*"standby": *"\([A-Za-z0-9_.-]*\)".*/\1/p' /etc/botgarden/primary.json 2>/dev/null; }
