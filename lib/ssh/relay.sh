# shellcheck shell=dash
# What goes through is summed on both sides. `relay_source` prints what the function `relayed` does; `relay_sink` gives it its standard
# input. Each prints a last line, the checksum and the status of the function, where the other does not look. What the function has
# left unread is read to the end, unless it has failed: then what is still to come is of no use.
relay_begin() {
  relay=$(umask 077; mkdir -p /run/botgarden && mktemp -d /run/botgarden/relay.XXXXXX) || exit 1
  trap 'rm -rf "$relay"' EXIT
  mkfifo -m 0600 "$relay/copy"
  sha256sum <"$relay/copy" >"$relay/sum" &
  relay_sum=$!
}
relay_end() {
  wait "$relay_sum"
  printf '\nrelay %s %s\n' "$(cut -c 1-64 "$relay/sum")" "$(cat "$relay/status")"
}
relay_source() {
  relay_begin
  { relayed || relay_status=$?; echo "${relay_status:-0}" >"$relay/status"; } | tee --output-error=exit "$relay/copy"
  relay_end >&2
}
relay_sink() {
  relay_begin
  tee --output-error=exit "$relay/copy" | { relayed || relay_status=$?; echo "${relay_status:-0}" >"$relay/status"; [ -n "${relay_status:-}" ] || cat >/dev/null; }
  relay_end
}
