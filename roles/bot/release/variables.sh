# shellcheck shell=dash
# with_variables COMMAND...: runs it while $variables_file has what the function `variables` prints. The file is in memory, only
# root can read it, and it is gone afterwards.
with_variables() {
  if (umask 077 && mkdir -p "${variables_file%/*}" && variables >"$variables_file"); then
    variables_status=0
    "$@" || variables_status=$?
  else
    variables_status=1
  fi
  rm -f "$variables_file"
  return "$variables_status"
}
# variable_of FILE: its content, as Compose reads it between double quotes.
variable_of() {
  [ -s "$1" ] || { echo "$1 is missing or empty, and a variable of the bot needs it" >&2; return 1; }
  sed 's/[\\"$]/\\&/g' "$1"
}
