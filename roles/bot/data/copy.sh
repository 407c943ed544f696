# shellcheck shell=dash
# Copies of the data in $data/current, beside it: before-TIME.NUMBER, the newest with the highest number.
data_copies() {
  for each in "$data"/before-*; do
    [ ! -d "$each" ] || printf '%s %s\n' "${each##*.}" "$each"
  done | sort -k 1,1nr | cut -d ' ' -f 2
}
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
# name_copy: sets $data_name to the path of the next copy.
name_copy() {
  data_number=$(data_copies | sed -n '1s/.*\.//p')
  data_name=$data/before-$(date -u +%Y%m%d-%H%M%S).$((${data_number:-0} + 1))
}
# The newest three copies stay.
prune_copies() { data_copies | sed 1,3d | while IFS= read -r each; do rm -rf "$each"; done; }
# copy_data: sets $copy to a new copy. Nothing may write meanwhile.
copy_data() {
  name_copy
  rm -rf "$data/copying" "$data/failed"
  cp -a --reflink=auto "$data/current" "$data/copying" && sync -f "$data/copying" && mv -T "$data/copying" "$data_name" || {
    rm -rf "$data/copying"
    echo 'the data could not be copied'
    return 1
  }
  copy=$data_name
  prune_copies
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
