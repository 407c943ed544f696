# shellcheck shell=dash
# Which key of bot.yaml mends what a container has ended of, by the last lines of its log ($words) and by its state ($seen).
said() { printf '%s\n' "$words" | grep -qE -e "$1"; }
advise() {
  case $seen in *'out of memory: true'*) echo 'advice: it ran out of memory: raise "memory:"' ;; esac
  case $last in *'Connection refused'* | *"Couldn't connect"* | *'Could not connect'* | *'Failed to connect'*)
    echo "advice: nothing listens at ${url#http://*/}: have it listen on all addresses (0.0.0.0) at the port of \"port:\"" ;;
  esac
  if said 'EROFS|[Rr]ead-only file system'; then
    echo 'advice: its file system is read-only: list folders that it writes to under "data:" (they last) or under "scratch:" (in memory, empty at every start)'
  fi
  if said 'EACCES|[Pp]ermission denied|Operation not permitted'; then
    echo "advice: it runs as user $user of this host, not as a user of its image: have what it reads or runs be readable by all"
  fi
  if said '(127\.0\.0\.1|localhost|::1).*5432|(ENOTFOUND|EAI_AGAIN|resolve|translate|lookup).*(postgres|db)'; then
    echo "advice: it looks for its database elsewhere: set \"database: { tcp: true }\", and give it the address by \${database.url}"
  fi
  if said '(127\.0\.0\.1|localhost|::1).*6379|(ENOTFOUND|EAI_AGAIN|resolve|lookup).*(redis|valkey)'; then
    echo "advice: it looks for a Redis server: set \"cache: valkey\", and give it the address by \${cache.url}"
  fi
  if said 'exec format error'; then
    echo "advice: its image is for another processor than this host's: build it here, or pull it for $(uname -m)"
  fi
  variable=$(missing_variable)
  [ -z "$variable" ] || echo "advice: it misses the variable $variable: set it under \"environment:\", as $variable: $(likely_value "$variable")"
}
# The first name in capitals in a line that tells of something missing; pydantic has the name in a line of its own before it.
missing_variable() {
  printf '%s\n' "$words" | awk '
    /[Ff]ield required/ && before ~ /^[A-Za-z_][A-Za-z0-9_]*$/ { print toupper(before); exit }
    { tells = tolower($0) ~ /missing|required|not set|not found|undefined|must be|keyerror|environ|not provided|empty/ }
    # A list of names follows a line that ends with a colon.
    tells || listed {
      line = $0
      while (match(line, /[A-Z][A-Z0-9_]*_[A-Z0-9_]*[A-Z0-9]/)) {
        name = substr(line, RSTART, RLENGTH)
        # Codes of Node and of OpenSSL are no variables.
        if (name !~ /^(ERR|E|MODULE|SSL|TLS|NODE)_/) { print name; exit }
        line = substr(line, RSTART + RLENGTH)
      }
    }
    { before = $0; listed = tells && /:$/ }'
}
likely_value() {
  case $1 in
  *WEBHOOK*SECRET* | *SECRET_TOKEN*) echo "\${webhook.secret}" ;;
  *WEBHOOK*URL*) echo "\${webhook.url}" ;;
  *WEBHOOK*) echo "\${public.url}" ;;
  *TOKEN*) echo "\${token}" ;;
  *DATABASE_URL* | *POSTGRES_URL* | *DB_URL* | *PG_URL* | *_DSN) echo "\${database.url}" ;;
  *REDIS*URL* | *CACHE*URL*) echo "\${cache.url}" ;;
  *REDIS*HOST*) echo "\${cache.host}" ;;
  *DB_HOST* | *POSTGRES_HOST*) echo "\${database.host}" ;;
  *DB_PASS* | *POSTGRES_PASS*) echo "\${database.password}" ;;
  *DB_USER* | *POSTGRES_USER*) echo "\${database.user}" ;;
  *DB_NAME* | *POSTGRES_DB*) echo "\${database.name}" ;;
  *) echo "\${secret.$1}" ;;
  esac
}
