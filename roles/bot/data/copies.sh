# shellcheck shell=dash
# Copies of the data in $data/current, beside it: before-TIME.NUMBER, the newest with the highest number.
data_copies() {
  for each in "$data"/before-*; do
    [ ! -d "$each" ] || printf '%s %s\n' "${each##*.}" "$each"
  done | sort -k 1,1nr | cut -d ' ' -f 2
}
# name_copy: sets $data_name to the path of the next copy.
name_copy() {
  data_number=$(data_copies | sed -n '1s/.*\.//p')
  data_name=$data/before-$(date -u +%Y%m%d-%H%M%S).$((${data_number:-0} + 1))
}
# The newest three copies stay.
prune_copies() { data_copies | sed 1,3d | while IFS= read -r each; do rm -rf "$each"; done; }
