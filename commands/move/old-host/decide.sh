# shellcheck shell=dash
# decide: from here on $bot, of which this host has a release, has its place at $place. Either all of it is so after a cut, or nothing.
decide() {
  printf '%s\n' "$place" >"$state/place.json.new"
  sync "$state/place.json.new"
  mv -fT "$state/place.json.new" "$state/place.json"
  sync "$state"
  mv -fT "$state/current.json" "$state/released.json"
  sync "$state"
}
