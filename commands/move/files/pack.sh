# shellcheck shell=dash
# The lasting files of a bot in $folder, as the user who owns it. $marks is what the archive before held, so that a second one has
# only what has changed since, and what is gone.
pack() {
  { as_owner "$folder" tar --create --listed-incremental="$marks" --no-check-device --warning=no-file-changed --warning=no-file-removed --file=- . || echo "$?" >"$relay/packed"; } | gzip --fast
  packed=$(cat "$relay/packed" 2>/dev/null) || packed=0
  rm -f "$relay/packed"
  return "$packed"
}
relayed() {
  if [ "$rest" = yes ] && [ -e "$marks" ]; then
    pack
    return
  fi
  rm -rf "${marks%/*}"
  mkdir -m 0711 "${marks%/*}"
  install -m 0600 -o "$(stat -c %u "$folder")" /dev/null "$marks"
  # What changes while it is read comes again with the next one.
  pack || { [ "$?" = 1 ] && [ "$rest" != yes ]; }
}
