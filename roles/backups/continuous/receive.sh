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
  # Never over one that is there.
  if ln ".incoming-$$" "$path" 2>/dev/null || cmp -s ".incoming-$$" "$path"; then echo "kept $path"; else echo "other $path"; fi
  rm -f ".incoming-$$"
done
kept=$(find . -name 'base-*.age' -mtime "+$days" -printf '%T@ %p\n' | sort -n | tail -n 1)
[ -z "$kept" ] || find . -type f ! -newer "${kept#* }" ! -path "${kept#* }*" -mtime "+$days" ! -name '.*' -delete
find . -name '.incoming-*' -mmin +1440 -delete
