# The first process of a VPS container, before systemd takes over. $1: the address of the sandbox's name server.

# Docker gives the cgroups read-only; systemd needs its own to be writable (cgroup v1: one mount per hierarchy).
for mount in $(awk '$5 ~ "^/sys/fs/cgroup(/|$)" { print $5 }' /proc/self/mountinfo); do
  mount -o remount,bind,rw "$mount"
done

# Of the kernel's settings only the network's belong to a container; vm, kernel and fs are the machine's and stay read-only.
mount --bind /proc/sys/net /proc/sys/net
mount -o remount,bind,rw /proc/sys/net

# Docker mounts its own files over these: on a VPS they are plain files, which a role can replace and which outlive a boot.
umount /etc/hostname /etc/hosts /etc/resolv.conf
[ -s /etc/hostname ] || cat /proc/sys/kernel/hostname >/etc/hostname
[ -s /etc/resolv.conf ] || echo "nameserver $1" >/etc/resolv.conf
[ -s /etc/hosts ] || printf '%s\n' '127.0.0.1 localhost' "127.0.1.1 $(cat /etc/hostname)" \
  '::1 localhost ip6-localhost ip6-loopback' 'ff02::1 ip6-allnodes' 'ff02::2 ip6-allrouters' >/etc/hosts

chmod 644 /etc/hostname /etc/hosts /etc/resolv.conf

# A provider's image does this in its first boot.
[ -e /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -A >/dev/null

exec /sbin/init
