# shellcheck shell=dash
# What a run has found: lines of files in memory, since a disk may be full.
# bad KEY TEXT NEXT: something is wrong. What others have written is without control characters by then.
bad() { printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$run/found"; }
# unknown KEY: it cannot be told now, so what is known of it stays. With * at its end: of all that begin like this.
unknown() { printf '%s\n' "$1" >>"$run/unknown"; }
# fact TEXT: a line of the daily summary.
fact() { printf '%s\n' "$1" >>"$run/facts"; }
# noted NAME: into $noted the number in a file of the last run, 0 where there is none.
noted() {
  noted=''
  [ ! -s "$run/$1" ] || read -r noted <"$run/$1" || :
  case $noted in '' | *[!0-9]*) noted=0 ;; esac
}
# take: reads such lines of another program.
take() {
  while IFS=$tab read -r take_what take_1 take_2 take_3; do
    case $take_what in
    bad) bad "$take_1" "$take_2" "$take_3" ;;
    unknown) unknown "$take_1" ;;
    fact) fact "$take_1" ;;
    replicas) printf '%s\n' "$take_1" >>"$run/replicas" ;;
    *) printf '%s\n' "$take_what" ;;
    esac
  done
}
# bot_of CONTAINER: into $bot, which is empty for those of the host itself.
bot_of() {
  bot=''
  case $1 in
  *-blue | *-green | *-cache)
    bot=${1#botgarden-}
    bot=${bot%-*}
    bot=${bot%%.*}
    ;;
  esac
}
