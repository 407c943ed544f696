# shellcheck shell=dash
# set_changed_aside NAME: the folder of a pair is called by its checksum. Where somebody has changed the pair in it, that is served
# from another folder from now on, so that the right pair can be written there again.
set_changed_aside() {
  pair=$(readlink "/etc/botgarden/tls/$1/current") || return 0
  folder=/etc/botgarden/tls/$1/$pair
  [ "$(cat "$folder/fullchain.pem" "$folder/privkey.pem" 2>/dev/null | sha256sum | cut -c 1-16)" != "$pair" ] || return 0
  rm -rf "$folder.changed"
  cp -a "$folder" "$folder.changed"
  ln -sfn "$pair.changed" "$folder.link"
  mv -fT "$folder.link" "/etc/botgarden/tls/$1/current"
  rm -rf "$folder"
}
