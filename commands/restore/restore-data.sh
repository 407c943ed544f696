# shellcheck shell=dash
# Restores the archive $archive of a bot's lasting files, into $stage first. $wanted is what its manifest says of them.
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
  found=$(as_owner "$stage" python3 -I -c "$program" check 2>&1) && [ "$found" = "$wanted" ] || {
    echo "what was unpacked is not what the backup says: $found instead of $wanted: no data was changed"
    exit 1
  }
}
# swap_data: what was unpacked becomes the data. A folder that the backup does not have stays as it is.
swap_data() {
  (umask 077; mkdir -p "$data")
  for folder in "$data"/current/*/; do
    name=$(basename "$folder")
    [ -d "$folder" ] && [ ! -e "$stage/$name" ] || continue
    cp -a "$data/current/$name" "$stage/$name"
    echo "$name is not in the backup, and stays as it is"
  done
  sync -f "$stage"
  if [ -d "$data/current" ]; then
    name_copy
    mv -T "$data/current" "$data_name"
    echo "the data that was replaced is in $data_name"
  fi
  mv -T "$stage" "$data/current"
  sync "$data"
  prune_copies
}
