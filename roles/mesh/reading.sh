# shellcheck shell=dash
# What the kernel, or wireguard-go, has of the mesh. The private key and those that two peers share stay on the host.
modules=/lib/modules/$(uname -r)
for file in /sys/module/wireguard "$modules"/kernel/drivers/net/wireguard/wireguard.ko*; do [ ! -e "$file" ] || echo kernel; done
! grep -qs '/wireguard\.ko' "$modules/modules.builtin" || echo kernel
[ ! -c /dev/net/tun ] || echo tun
ip -4 route show table main 2>/dev/null | sed -n -E 's/^([0-9][0-9.]*(\/[0-9]+)?) (.* )?dev ([^ ]+).*/route \1 \4/p'
[ ! -s /etc/wireguard/mesh0.key ] || echo "own $(wg pubkey </etc/wireguard/mesh0.key 2>/dev/null)"
systemctl show --property=LoadState,ActiveState,UnitFileState wg-quick@mesh0.service 2>/dev/null
# Without `exit`, which would end the readings behind this one.
if [ -e /sys/class/net/mesh0 ]; then
  echo "mtu $(cat /sys/class/net/mesh0/mtu)"
  ip -4 -o address show dev mesh0 | sed -E 's/.* inet ([^ ]*).*/address \1/'
  # An endpoint moves to where a peer was heard from: it counts where nothing was heard for five minutes.
  wg show mesh0 dump 2>/dev/null | awk -F '\t' -v now="$(date +%s)" '
    NR == 1 { print "interface", $2, $3; next }
    { print "peer", $1, $4, $8, ($2 == "(none)" ? "plain" : "shared"), ($5 > now - 300 ? "heard" : $3) }'
fi
