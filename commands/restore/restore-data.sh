# shellcheck shell=dash
# Unpacks the archive $archive of a bot's lasting files into $stage. $wanted is what its manifest says of them.
# unpack_data USER SIZE: as this user, of whom all of it will be. SIZE is in MiB.
unpack_data() {
  free=$(df --output=avail -m "${stage%/*}" | tail -n 1)
  [ "$free" -ge $(($2 + 256)) ] || {
    echo "the disk has $((free)) MiB free, and the restore needs $(($2 + 256)) MiB: no data was changed"
    exit 1
  }
  rm -rf "$stage"
  (umask 077; mkdir "$stage")
  chown "$1:$1" "$stage"
  as_owner "$stage" tar --extract --preserve-permissions <"$archive" || { echo 'the archive cannot be unpacked: no data was changed'; exit 1; }
  found=$(as_owner "$stage" python3 -I -c "$program" check 2>&1) || :
  [ "$found" = "$wanted" ] || {
    echo "what was unpacked is not what the backup says: $found instead of $wanted: no data was changed"
    exit 1
  }
}
