#!/bin/sh
# The other end of an archive: a forced command of ssh, `receive.sh FOLDER DAYS`, which keeps what a host sends, and by which the host can
# change or remove nothing. Reads `put CHAIN/NAME SIZE` and so many bytes, again and again; answers `kept CHAIN/NAME`. The newest
# base from before DAYS stays, and all that is newer.
set -u
umask 077
export LC_ALL=C
folder=$1 days=$2
mkdir -p "$folder" && cd "$folder" || exit 1
while read -r word path size; do
  chain=${path%%/*} name=${path#*/}
  case $chain in '' | *[!0-9TZ]*) exit 1 ;; esac
  case $name in wal-* | base-*) ;; *) exit 1 ;; esac
  case $name in *[!A-Za-z0-9.-]*) exit 1 ;; esac
  case $size in '' | *[!0-9]*) exit 1 ;; esac
  [ "$word" = put ] || exit 1
  mkdir -p "$chain"
  head -c "$size" >".incoming-$$"
  [ "$(wc -c <".incoming-$$")" -eq "$size" ] || { rm -f ".incoming-$$"; exit 1; }
  # Answered only where it outlives a power cut; never over one that is there.
  sync ".incoming-$$"
  if ln ".incoming-$$" "$path" 2>/dev/null || cmp -s ".incoming-$$" "$path"; then
    sync "$chain" && echo "kept $path"
  else echo "other $path"
  fi
  rm -f ".incoming-$$"
done
# The newest base that is here for so many days stays, with the WAL from its first segment on. By when files came, since names are the host's.
kept=$(find . -name 'base-*.age' -mtime "+$days" -printf '%T@ %P\n' | sort -n | tail -n 1)
[ -z "$kept" ] || find . -mindepth 2 -type f -mtime "+$days" -printf '%P\n' | awk -v kept="${kept#* }" '
  BEGIN { split(kept, own, "/"); split(own[2], part, "-"); first = "wal-" substr(part[3], 1, 24) }
  { split($0, of, "/") }
  of[1] < own[1] || (of[1] == own[1] && (of[2] ~ /^base-/ ? of[2] < own[2] : of[2] < first))' |
  while read -r path; do rm -f "$path"; done
find . -name '.incoming-*' -mmin +1440 -delete
