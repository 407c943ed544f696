# shellcheck shell=dash
# The lasting files of a bot in $folder, as the user who owns it. $marks is what the archive before held, so that a second one has
# only what has changed since, and what is gone.
pack_first() {
  rm -rf "${marks%/*}"
  mkdir -m 0711 "${marks%/*}"
  install -m 0600 -o "$(stat -c %u "$folder")" /dev/null "$marks"
  # What changes while it is read comes again with the next one.
  pack || [ "$?" = 1 ]
}
pack_rest() { if [ -e "$marks" ]; then pack; else pack_first; fi; }
pack() {
  { as_owner "$folder" tar --create --listed-incremental="$marks" --no-check-device --warning=no-file-changed --warning=no-file-removed --file=- . || echo "$?" >"$relay/packed"; } | gzip --fast
  packed=$(cat "$relay/packed" 2>/dev/null) || packed=0
  rm -f "$relay/packed"
  return "$packed"
}
unpack() {
  gzip --decompress --stdout | as_owner "$folder" tar --extract --listed-incremental=/dev/null --preserve-permissions --file=-
}
# all_files: a line about each file and folder, and the checksum of each file.
all_files() {
  # shellcheck disable=SC2016
  as_owner "$folder" sh -c '
    find . -mindepth 1 \( -type d -printf "d %m %p\n" -o -type l -printf "l %l %p\n" -o -type f -printf "f %m %s %p\n" \) | LC_ALL=C sort
    find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum'
}
