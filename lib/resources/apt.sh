# shellcheck shell=dash
# apt, without questions, after any other installation: unattended-upgrades on a fresh host takes minutes.
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
apt() { apt-get -q -y -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"; }
holder() {
  for lock in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
    inode=$(stat -c %i "$lock" 2>/dev/null) || continue
    pid=$(sed -n "s/.* WRITE \([0-9]*\) [^ ]*:$inode .*/\1/p" /proc/locks | head -n 1)
    [ -z "$pid" ] || { echo "process $pid ($(cat "/proc/$pid/comm" 2>/dev/null)) holds $lock"; return; }
  done
}
# apt waits for only one of these locks, dpkg for none.
lock_free() {
  said=''
  for _ in $(seq 600); do
    now=$(holder)
    [ -n "$now" ] || return 0
    [ "$now" = "$said" ] || printf 'waiting: %s\n' "$now"
    said=$now
    sleep 1
  done
  echo "after 600 s still: $now"
  return 1
}
