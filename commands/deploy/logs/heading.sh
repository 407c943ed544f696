# shellcheck shell=dash
# What a reader has to know first: the secrets that are shown to nobody, and whose lines there are.
heading() {
  docker ps --quiet >/dev/null || exit 1
  printf secrets
  for secret in "$secrets"/*; do
    [ ! -f "$secret" ] || printf ' %s' "$(base64 --wrap=0 "$secret")"
  done
  printf '\ncontainers'
  { kept | sed 's#.*/##; s#\.log$##'; present | sed 's/-[a-z]*$//'; ! replicated || replica_names; } | sort -u | sed 's/^/ /' | tr -d '\n'
  echo
}
