# shellcheck shell=dash
# What was received is encrypted, signed and kept.

is_stored() {
  set -- "$state/store/$chain/wal-$1"-*.age
  [ -e "$1" ]
}

# store_all: what the archiver has received. Where a segment is missing, a new chain begins.
store_all() {
  store_spool
  case $? in
  0) ;;
  2) begin_chain "the segment after $last_stored is missing" ;;
  *) return 1 ;;
  esac
}

# store_spool: in order, up to one that is missing, which is 2. Each has the time in its name until when all that was committed is in it or
# before it: the one that this run has closed has when the run began; one that was filled before, as after a full disk, that of the one
# before it, since nobody knows.
store_spool() {
  for path in "$state"/spool/????????????????????????.gz; do
    [ -e "$path" ] || continue
    name=${path##*/}
    name=${name%.gz}
    if is_stored "$name"; then
      rm -f "$path"
      continue
    fi
    [ -z "$last_stored" ] || [ "$name" = "$(next_segment "$last_stored")" ] || return 2
    room || return 1
    # Compressed once more: what is empty of a segment takes 73 KB after the archiver's gzip, and half a KB after another.
    rm -f "$run/torn"
    { gzip -1 <"$path" || : >"$run/torn"; } | age --encrypt --recipients-file "$recipients" >"$state/store/$chain/.new" || return 1
    [ ! -e "$run/torn" ] || return 1
    [ "$name" != "$awaited" ] || last_through=$(date -u -d "@$began" +%Y%m%dT%H%M%SZ)
    keep "wal-$name-$last_through.gz.age" || return 1
    rm -f "$path"
    last_stored=$name
  done
}

next_segment() {
  low=$((0x$(echo "$1" | cut -c 17-24) + 1)) high=$((0x$(echo "$1" | cut -c 9-16)))
  [ "$low" -lt 256 ] || low=0 high=$((high + 1))
  printf '%s%08X%08X\n' "$(echo "$1" | cut -c 1-8)" "$high" "$low"
}

# keep NAME: what is in the file `.new` of the chain is signed, with its place, and becomes that.
keep() {
  new=$state/store/$chain/.new
  sum=$(sha256sum <"$new")
  printf 'botgarden archive\n%s\n%s/%s\n%s\n' "$host" "$chain" "$1" "${sum%% *}" |
    ssh-keygen -q -Y sign -n botgarden-archive -f "$signing_key" >"$new.sig" || return 1
  sync "$new" "$new.sig" || return 1
  if [ -n "$to" ]; then
    mkdir -p "$state/outgoing"
    ln -f "$new.sig" "$state/outgoing/$chain=$1.sig"
    ln -f "$new" "$state/outgoing/$chain=$1"
  fi
  mv -f "$new.sig" "$state/store/$chain/$1.sig" && mv -f "$new" "$state/store/$chain/$1" && sync "$state/store/$chain"
}
