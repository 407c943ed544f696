# shellcheck shell=dash
# The release that was given away, and never released elsewhere, is the one that serves: its place is $place.
[ -e "$state/released.json" ] || { echo "$state/released.json is gone"; exit 1; }
printf '%s\n' "$place" >"$state/place.json.new"
sync "$state/place.json.new"
mv -fT "$state/place.json.new" "$state/place.json"
rm -f "$state/stopped"
mv -fT "$state/released.json" "$state/current.json"
sync "$state"
