# shellcheck shell=dash
# A line about each file and folder, and the checksum of each file.
# shellcheck disable=SC2016
as_owner "$folder" sh -c '
  find . -mindepth 1 \( -type d -printf "d %m %p\n" -o -type l -printf "l %l %p\n" -o -type f -printf "f %m %s %p\n" \) | LC_ALL=C sort
  find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum'
