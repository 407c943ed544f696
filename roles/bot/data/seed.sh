# shellcheck shell=dash
# seed_data IMAGE PATH FOLDER: makes the folder with what the image has at the path, all of it owned by $user. $stage is where it is
# made first. An image may have no shell, so nothing in it is run; and what it has is unpacked by that user, never by root.
seed_data() {
  rm -rf "$stage"
  (umask 077; mkdir "$stage")
  chown "$user:$user" "$stage"
  seed_from=$(docker create --pull never --network none "$1" none)
  seed_unpacked=yes
  { docker cp "$seed_from:$2/." - 2>"$stage.copied" || echo failed >>"$stage.copied"; } |
    as_owner "$stage" tar --extract --no-same-permissions 2>"$stage.unpacked" || seed_unpacked=no
  docker rm --force --volumes "$seed_from" >/dev/null 2>&1 || :
  # Without the folder in the image there is nothing to begin with.
  if grep -qx failed "$stage.copied"; then
    ! grep -qi 'could not find the file\|no such file' "$stage.copied" || seed_unpacked=yes
  fi
  [ "$seed_unpacked" = yes ] || { cat "$stage.copied" "$stage.unpacked"; echo "$2 of the image $1 could not be copied to $3"; }
  rm -f "$stage.copied" "$stage.unpacked"
  [ "$seed_unpacked" = yes ] || { rm -rf "$stage"; return 1; }
  chmod 0700 "$stage"
  sync -f "$stage"
  mv -T "$stage" "$3"
}
