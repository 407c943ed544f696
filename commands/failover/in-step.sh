# shellcheck shell=dash
# What a host has of each of $bots that a failover needs on the other host: a word, the bot and the value on each line.
for bot in $bots; do
  state=/var/lib/botgarden/bots/$bot secrets=/etc/botgarden/secrets/bots/$bot
  for file in current.json place.json; do
    [ ! -e "$state/$file" ] || echo "$file $bot $(head -c 200000 "$state/$file" | base64 --wrap=0)"
  done
  [ ! -e "$state/releases" ] || echo "releases $bot $(tail -c 2000000 "$state/releases" | base64 --wrap=0)"
  # By name, without what each host makes of them for itself.
  sum=$(cd "$secrets" 2>/dev/null && find . -maxdepth 1 -type f ! -name pgpass ! -name '.*' -print0 | sort -z | xargs -0 -r sha256sum | sha256sum | cut -c 1-64)
  [ -z "$sum" ] || echo "secrets $bot $sum"
  number=$(sed -n "s/^$bot //p" /var/lib/botgarden/allocations 2>/dev/null)
  [ -z "$number" ] || echo "number $bot $number"
done
