# shellcheck shell=dash
# What a few bytes unfold to is not known before: the disk, in MB, is looked at while they do.
full=''
free_disk() { df --output=avail -m /var/lib/botgarden/postgres | tail -n 1; }
# need_disk MB
need_disk() {
  [ "$(free_disk)" -ge "$1" ] || {
    echo "the disk has $(free_disk) MB free, too little to restore beside what is there: nothing was touched"
    exit 1
  }
}
# watch_disk MB: ends the reading where less than that is left; then $full is yes.
watch_disk() {
  while kill -0 "$reading" 2>/dev/null; do
    if [ "$(free_disk)" -lt "$1" ]; then
      full=yes
      sql "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'botgarden-reader';" >/dev/null
    fi
    sleep 0.2
  done
}
