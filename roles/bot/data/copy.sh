# shellcheck shell=dash
# room_for_copy: removes the oldest copies where the disk has no room for another one, and fails where that does not help.
room_for_copy() {
  data_size=$(du -s -m "$data/current" | cut -f 1)
  while :; do
    data_free=$(df --output=avail -m "$data" | tail -n 1)
    [ "$data_free" -lt $((data_size + 300)) ] || return 0
    data_oldest=$(data_copies | sed 1d | tail -n 1)
    [ -n "$data_oldest" ] || break
    rm -rf "$data_oldest"
  done
  echo "the data has $data_size MiB, and is copied before a release: that needs $((data_size + 300)) MiB of disk, and $((data_free)) MiB are free; nothing was changed"
  return 1
}
# copy_data: sets $copy to a new copy. Nothing may write meanwhile.
copy_data() {
  name_copy
  rm -rf "$data/copying" "$data/failed"
  if cp -a --reflink=auto "$data/current" "$data/copying" && sync -f "$data/copying" && mv -T "$data/copying" "$data_name"; then
    copy=$data_name
    prune_copies
  else
    rm -rf "$data/copying"
    echo 'the data could not be copied'
    return 1
  fi
}
# put_back_data: $copy becomes the data again. What the failed version has left stays until the next release.
put_back_data() {
  rm -rf "$data/failed"
  if mv -T "$data/current" "$data/failed" && mv -T "$copy" "$data/current"; then
    echo "the data from before this release was put back; what the new version left of it is in $data/failed"
  else
    echo "the data from before this release could not be put back: it is in $copy, and should be $data/current"
  fi
}
