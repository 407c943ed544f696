# shellcheck shell=dash
. /etc/os-release
printf '%s\n' "os=$ID" "version=$VERSION_ID" "osName=$PRETTY_NAME"
printf 'architecture=%s\n' "$(dpkg --print-architecture 2>/dev/null || uname -m)"
memory=$(sed -n 's/^MemTotal: *//p' /proc/meminfo | tr -dc 0-9)
for f in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
  limit=$(tr -dc 0-9 2>/dev/null <$f)
  if [ -n "$limit" ] && [ $((limit / 1024)) -lt "$memory" ]; then memory=$((limit / 1024)); fi
done
printf 'memoryKiB=%s\n' "$memory"
printf 'cpus=%s\n' "$(nproc)"
printf 'container=%s\n' "$(systemd-detect-virt --container 2>/dev/null | grep -vx none)"
printf 'ipv6=%s\n' "$(sed -n 's/^\([^ ]*\) [^ ]* [^ ]* 00 .*/\1/p' /proc/net/if_inet6 2>/dev/null | head -n 1)"
printf 'addresses=%s\n' "$(hostname -I 2>/dev/null)"
# No packet is sent: 192.0.2.1 is reserved (RFC 5737), and is routed by the default route.
printf 'address=%s\n' "$(ip -4 route get 192.0.2.1 2>/dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p')"
# Where resolv.conf names a resolver of the host's own, this is where it asks; Docker goes by the same two files.
printf 'resolvers=%s\n' "$(cat /run/systemd/resolve/resolv.conf /etc/resolv.conf 2>/dev/null | sed -n 's/^nameserver *\([0-9a-fA-F.:]*\).*/\1/p' | sort -u | tr '\n' ' ')"
timers=
for f in /etc/systemd/system/botgarden-*.timer; do timers="$timers ${f##*/}"; done
printf 'timers=%s\n' "$timers"
mesh=
[ ! -e /etc/wireguard/mesh0.conf ] || mesh=yes
printf 'mesh=%s\n' "$mesh"
swarm=
[ ! -e /var/lib/docker/swarm/docker-state.json ] || swarm=yes
printf 'swarm=%s\n' "$swarm"
printf 'booting=%s\n' "$([ ! -e /run/cloud-init/enabled ] || [ -e /run/cloud-init/result.json ] || echo yes)"
