# shellcheck shell=dash
# seed_data IMAGE PATH FOLDER: makes the folder with what the image has at the path, all of it owned by $user. $stage is where it is
# made first. An image may have no shell, so nothing in it is run; and what it has is unpacked by that user, never by root.
seed_data() {
  rm -rf "$stage"
  (umask 077; mkdir "$stage")
  chown "$user:$user" "$stage"
  seed_from=$(docker create --pull never --network none "$1" none)
  { docker cp "$seed_from:$2/." - 2>"$stage.errors" || echo failed >>"$stage.errors"; } |
    as_owner "$stage" tar --extract --no-same-permissions || echo failed >>"$stage.errors"
  docker rm --force --volumes "$seed_from" >/dev/null
  # Without the folder in the image there is nothing to begin with.
  if grep -qx failed "$stage.errors" && ! grep -qi 'could not find the file\|no such file' "$stage.errors"; then
    cat "$stage.errors"
    echo "$2 of the image $1 could not be copied to $3"
    rm -rf "$stage" "$stage.errors"
    return 1
  fi
  rm -f "$stage.errors"
  chmod 0700 "$stage"
  sync -f "$stage"
  mv -T "$stage" "$3"
}
