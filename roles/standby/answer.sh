# shellcheck shell=dash
# Answers one request of the peer: GET /NONCE. What it says is the record, and proves that it is this host that says it, now.
IFS=' ' read -r _ path _
count=0
while [ "$count" -lt 50 ] && IFS= read -r line && [ "${#line}" -gt 1 ]; do count=$((count + 1)); done
nonce=${path#/}
[ "${#nonce}" = 32 ] || exit 0
case $nonce in *[!0-9a-f]*) exit 0 ;; esac
text=$(head -c 400 "$record" 2>/dev/null | head -n 1)
sum=$({ head -c 64 "$key"; { tail -c 64 "$key"; printf %s "$nonce $host $text"; } | sha256sum | cut -c 1-64; } | sha256sum | cut -c 1-64)
printf 'HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n%s %s' "$text" "$sum"
