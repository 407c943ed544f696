# shellcheck shell=dash
public_addresses() {
  # Past /etc/hosts, which knows the host's own name; where systemd-resolved answers, that is its own to say.
  if systemctl is-active --quiet systemd-resolved 2>/dev/null; then
    resolvectl query --synthesize=no --legend=no -- "$1" 2>/dev/null | tr -s ' \t' '\n' | grep -xE '[0-9]+(\.[0-9]+){3}|[0-9a-f:]+:[0-9a-f:]*' | sort -u || :
  else
    getent -s dns ahosts "$1" | awk '{ print $1 }' | sort -u
  fi
}
