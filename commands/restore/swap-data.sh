# shellcheck shell=dash
# swap_data: what was unpacked in $stage becomes the data in $data/current. A folder that the backup does not have stays as it is.
swap_data() {
  (umask 077; mkdir -p "$data")
  for folder in "$data"/current/*/; do
    name=$(basename "$folder")
    if [ -d "$folder" ] && [ ! -e "$stage/$name" ]; then
      cp -a "$data/current/$name" "$stage/$name"
      echo "$name is not in the backup, and stays as it is"
    fi
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
