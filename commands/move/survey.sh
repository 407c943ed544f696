# shellcheck shell=dash
# What a host has of the bot $bot, whose state is in $state: a word and its values on each line.
echo "number $(sed -n "s/^$bot //p" /var/lib/botgarden/allocations 2>/dev/null)"
for file in current.json place.json released.json; do
  [ ! -e "$state/$file" ] || echo "$file $(head -c 200000 "$state/$file" | base64 --wrap=0)"
done
[ ! -e "$state/stopped" ] || echo stopped
[ ! -e "$state/releases" ] || echo "releases $(tail -c 2000000 "$state/releases" | base64 --wrap=0)"
for server in botgarden-postgres botgarden-nginx; do
  [ "$(docker container inspect --format '{{.State.Running}}' "$server" 2>/dev/null)" != true ] || echo "server $server"
done
echo "postgres $(docker exec botgarden-postgres psql -XqAt -U postgres -c 'show server_version_num' 2>/dev/null)"
echo "database $(docker exec botgarden-postgres psql -XqAt -U postgres -c "select pg_database_size(datname) from pg_database where datname = '$database'" 2>/dev/null)"
for part in current cache; do
  [ ! -d "$data/$part" ] || echo "$part $(du -s -m "$data/$part" | cut -f 1)"
done
# Where images are, and where all else is.
for place in /var/lib/docker /var/lib/botgarden; do
  echo "free $(df --output=avail -m "$place" 2>/dev/null | tail -n 1)"
done
docker ps --format 'runs {{.Names}}' --filter "label=botgarden.bot=$bot" 2>/dev/null
echo "signed $(openssl x509 -in "/etc/botgarden/tls/$host_name/current/fullchain.pem" -noout -subject -issuer 2>/dev/null | sed 's/^[a-z]*=//' | sort -u | grep -c .)"
