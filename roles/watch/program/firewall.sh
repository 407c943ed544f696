# shellcheck shell=dash
# The firewall as the kernel has it: `ufw status` shows ufw's files.
watch_firewall() {
  # Of a host that we have set it up on.
  grep -qs botgarden- /etc/ufw/after.init || return 0
  if busy; then
    unknown firewall
    return
  fi
  firewall_gap
  # While ufw loads its rules, they are gone for a moment.
  [ -z "$gap" ] || {
    sleep 3
    firewall_gap
  }
  [ -z "$gap" ] || bad firewall "the firewall is off: $gap" 'npx zx playbooks/site.ts --tags ufw'
}
# firewall_gap: into $gap, what of it is missing.
firewall_gap() {
  gap=''
  grep -qx 'ENABLED=yes' /etc/ufw/ufw.conf || {
    gap='ufw is disabled'
    return
  }
  gap_of iptables
  [ -n "$gap" ] || [ ! -s /proc/net/if_inet6 ] || ! grep -qx 'IPV6=yes' /etc/default/ufw || gap_of ip6tables
}
gap_of() {
  loaded=$("$1-save" 2>/dev/null)
  case $loaded in *':INPUT DROP '*) ;; *) gap="$1 lets in what no rule names" ;; esac
  case $loaded in *'-A INPUT -j ufw'*'-before-input'*) ;; *) gap="$1 has no rules of ufw" ;; esac
  case $loaded in *'-j botgarden-forward'*) ;; *) gap="$1 has no rules for containers" ;; esac
}
