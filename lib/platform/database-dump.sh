# shellcheck shell=dash
# By the number that each dump bears, never by the clock, which may have run ahead: what was made last is the last to go.
dumps_of() {
  for each in "$1/$2"[0-9]*.dump; do
    [ ! -f "$each" ] || printf '%s %s\n' "$(printf %s "$each" | sed -n 's/.*-[0-9]*\.\([0-9]*\)\.dump$/\1/p')" "$each"
  done | sed 's/^ /0 /' | sort -k 1,1nr -k 2,2r
}
take_dump() {
  (umask 077; mkdir -p "$2")
  # Of a run that was cut: half a dump, in plain text.
  rm -f "$2/$3"[0-9]*.dump.new
  number=$(dumps_of "$2" "$3" | sed -n '1s/ .*//p')
  taken=$2/$3$(date -u +%Y%m%d-%H%M%S).$((${number:-0} + 1)).dump
  if (umask 077; docker exec botgarden-postgres pg_dump -U postgres -Fc "$1" >"$taken.new") &&
    docker exec -i botgarden-postgres pg_restore --file=- <"$taken.new" >/dev/null &&
    sync "$taken.new" && mv -fT "$taken.new" "$taken" && sync "$2"; then :; else
    rm -f "$taken.new"
    echo "no dump of the database $1 could be made in $2, so nothing was done to it"
    return 1
  fi
  [ -z "${4:-}" ] || dumps_of "$2" "$3" | sed "1,$4d; s/^[0-9]* //" | while IFS= read -r old; do rm -f "$old"; done
}
