# shellcheck shell=dash
# What goes wrong is noted and ends no run: nothing else depends on this certificate.
request_certificate() {
  mark=/etc/botgarden/tls/$name/.refused
  known=$(public_addresses "$name" | tr '\n' ' ')
  if said=$(ask_authority 2>&1); then
    rm -f "$mark"
    return 0
  fi
  printf '%s\n' "$said"
  reason=$(printf '%s\n' "$said" | sed -n 's/^ *Detail: //p')
  [ -n "$reason" ] || reason=$(printf '%s\n' "$said" | grep -vE '^ *$|^(Saving debug log|Account registered|Requesting a certificate|Ask for help)' | tail -n 6)
  {
    printf 'run %s\ndns %s\n' "$run" "$known"
    printf '%s\n' "$reason" | head -c 2000 | sed 's/^/said /'
  } >"$mark.new"
  mv -f "$mark.new" "$mark"
  return 1
}
