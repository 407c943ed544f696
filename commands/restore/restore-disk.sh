# shellcheck shell=dash
# A small dump can become a large database: free disk space, in MiB, is checked during the restore.
disk_full=''
free_disk() { df --output=avail -m /var/lib/botgarden/postgres | tail -n 1; }
# need_disk MIB: exits with 1 where less is free.
need_disk() {
  [ "$(free_disk)" -ge "$1" ] || {
    echo "the disk has $(free_disk) MiB free, and the restore needs $1 MiB: nothing was changed"
    exit 1
  }
}
# watch_disk MIB: ends the restore where less than that is free, and sets $disk_full to yes.
watch_disk() {
  while kill -0 "$restore_pid" 2>/dev/null; do
    if [ "$(free_disk)" -lt "$1" ]; then
      disk_full=yes
      sql "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'botgarden-reader';" >/dev/null
    fi
    sleep 0.2
  done
}
