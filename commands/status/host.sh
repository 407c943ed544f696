# shellcheck shell=dash
# What the kernel and systemd say of the host, a word and its values on each line.
read -r uptime _ </proc/uptime
echo "uptime ${uptime%%.*}"
read -r _ load _ </proc/loadavg
echo "load $load"
sed -n 's/^\(MemTotal\|MemAvailable\): *\([0-9]*\) kB$/\1 \2/p' /proc/meminfo
# Each may be a disk of its own.
df --block-size=1M --output=target,size,avail,itotal,iavail -- / /boot /var/log /var/lib/docker /var/lib/botgarden /var/lib/botgarden/backups /var/lib/botgarden/data 2>/dev/null | sed -n '2,$s/^/disk /p' | sort -u
systemctl list-units --failed --plain --no-legend --no-pager 2>/dev/null | sed 's/^\([^ ]*\).*/failed \1/'
iptables -S INPUT 2>/dev/null | sed -n 's/^-P INPUT /firewall /p'
upgrade_fault | sed -n 's/^./upgrades &/p'
