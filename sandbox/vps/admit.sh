# shellcheck shell=dash
# Lets this key in, $1, and trusts this authority, $2 in PEM. A daemon that runs in a chroot puts `docker exec` into the
# machine's own root: nothing of ours belongs there.
[ -e /.dockerenv ] || { echo 'docker exec does not lead into the container' >&2; exit 1; }
for user in root debian; do
  home=$(getent passwd "$user" | cut -d: -f6) || continue
  [ -n "$home" ] || continue
  install -d -m 700 -o "$user" -g "$user" "$home/.ssh"
  grep -qxF "$1" "$home/.ssh/authorized_keys" 2>/dev/null && continue
  echo "$1" >>"$home/.ssh/authorized_keys"
  chown "$user:$user" "$home/.ssh/authorized_keys"
  chmod 600 "$home/.ssh/authorized_keys"
done
ours=/usr/local/share/ca-certificates/sandbox-telegram.crt
# Without the line's end, which $(…) leaves out.
authority=$(printf %s "$2")
if [ -n "$authority" ] && [ "$authority" != "$(cat "$ours" 2>/dev/null)" ]; then
  replaced=$(test -e "$ours" && echo yes)
  printf '%s\n' "$authority" >"$ours"
  # What update-ca-certificates would do, which takes a second: only where an older one has to go.
  if [ -n "$replaced" ]; then update-ca-certificates >/dev/null 2>&1; else cat "$ours" >>/etc/ssl/certs/ca-certificates.crt; fi
fi
