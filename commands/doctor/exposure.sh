# shellcheck shell=dash
# What a stranger could come by: ports that listen, files with secrets that others may read, the newest backup.
ss --no-header --listening --tcp --numeric 2>/dev/null | while read -r _ _ _ address _; do echo "listens $address"; done
find /etc/botgarden/secrets -type f -perm /077 -printf 'readable %m %p\n' 2>/dev/null
find /etc/botgarden/tls /etc/letsencrypt/archive -name 'privkey*.pem' -perm /077 -printf 'readable %m %p\n' 2>/dev/null
find /etc/botgarden -maxdepth 0 -perm /077 -printf 'readable %m %p\n' 2>/dev/null
grep -ls '/tg/' /opt/botgarden/nginx/conf/own/*.conf | sed 's/^/own /'
for file in /etc/ssh/ssh_host_*_key.pub; do read -r type key _ <"$file" && echo "hostkey $type $key"; done 2>/dev/null
cd /var/lib/botgarden/backups 2>/dev/null || exit 0
newest=
for name in [0-9]*Z; do [ ! -d "$name" ] || newest=$name; done
[ -n "$newest" ] || exit 0
echo "backup $newest"
cd "$newest" || exit 0
code=0
said=$(timeout 20 nice -n 19 sha256sum --check --quiet SHA256SUMS 2>&1) || code=$?
case $code in
  0) echo 'backup-is whole' ;;
  124) echo 'backup-is large' ;;
  *) printf '%s\n' "$said" | head -n 3 | sed 's/^/backup-fault /' ;;
esac
