# shellcheck shell=dash
# Exits with 0 where the bot answers 2xx at $path of its own $port.
url=http://127.0.0.1:$port$path
if command -v curl >/dev/null; then
  curl --silent --fail --output /dev/null --max-time 5 "$url"
elif command -v wget >/dev/null; then
  wget -q -T 5 -O /dev/null "$url"
elif command -v bash >/dev/null; then
  # shellcheck disable=SC2016
  exec bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" || exit 1
    printf "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n" "$1" >&3
    read -r -t 5 _ code _ <&3 && case $code in 2*) exit 0 ;; esac
    exit 1' "$port" "$path"
elif command -v node >/dev/null; then
  exec node -e 'require("http").get(process.argv[1], { timeout: 5000 }, ({ statusCode }) => process.exit(statusCode >= 200 && statusCode < 300 ? 0 : 1)).on("error", () => process.exit(1)).on("timeout", () => process.exit(1))' "$url"
else
  exec python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)' "$url"
fi
