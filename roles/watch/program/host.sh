# shellcheck shell=dash
# The host itself: disks, certificates, backups, clock.
watch_disks() {
  # Each may be a disk of its own.
  df --output=target,pcent,ipcent / /boot /run /var/log /var/lib/docker /var/lib/botgarden /var/lib/botgarden/backups /var/lib/botgarden/data 2>/dev/null | sed 1d | sort -u >"$run/disks"
  while read -r target used inodes; do
    fact "disk $target: $used, inodes $inodes"
    used=${used%\%} inodes=${inodes%\%}
    next="on the host: du -xh -d 3 $target | sort -h | tail -n 20"
    case $used in '' | *[!0-9]*) ;; *) [ "$used" -lt "$disk" ] || bad "disk:$target" "the disk at $target is $used % full" "$next" ;; esac
    case $inodes in '' | *[!0-9]*) ;; *) [ "$inodes" -lt "$inodes_most" ] ||
      bad "inodes:$target" "$inodes % of the inodes of the disk at $target are used" "on the host: du -x --inodes -d 3 $target | sort -h | tail -n 20" ;; esac
  done <"$run/disks"
}
# The certificates as nginx serves them. Each of those is one that the host is asked for by its name.
watch_certificates() {
  for name in $names; do
    case $name in
    *[!0-9.]*) how="-servername $name" what=-checkhost ;;
    *) how=-noservername what=-checkip ;;
    esac
    # A host that is busy may take its time.
    for limit in 5 15; do
      # shellcheck disable=SC2086
      timeout "$limit" openssl s_client -connect "127.0.0.1:$port" $how </dev/null 2>/dev/null >"$run/certificate"
      # Asked for both, it tells of the time only.
      said=$(openssl x509 -in "$run/certificate" -noout -enddate "$what" "$name" 2>/dev/null)
      [ -z "$said" ] || break
    done
    next='npx zx playbooks/site.ts --tags nginx,certbot'
    end=${said#*notAfter=}
    end=${end%%"$newline"*}
    case $said in
    '')
      if busy; then unknown "certificate:$name"
      else bad "certificate:$name" "nothing serves a certificate for $name at port $port" "$next"; fi
      continue
      ;;
    *'NOT match'*) bad "certificate:$name" "the certificate that is served for $name is that of another name" "$next" ;;
    *)
      openssl x509 -in "$run/certificate" -noout -checkend $((certificate_days * 86400)) >/dev/null 2>&1 ||
        bad "certificate:$name" "the certificate of $name ends $end" "$next"
      ;;
    esac
    fact "certificate of $name: until $end"
  done
}
watch_backups() {
  backups=/opt/botgarden/backups
  [ -e "$backups/settings" ] || return 0
  if [ ! -s "$backups/status.json" ]; then
    [ -z "$(find "$backups/settings" -mmin +$((backup_hours * 60)))" ] || bad backup:age 'there is no backup yet' 'npx zx playbooks/backup.ts'
    return
  fi
  # A run that is recorded as under way, without its process, was killed.
  alive=false
  who=$(sed -n 's/.*"process": *"\([0-9]* [0-9]*\)".*/\1/p' "$backups/status.json")
  [ ! -e "/proc/${who%% *}/stat" ] || [ "$(cut -d ' ' -f 1,22 "/proc/${who%% *}/stat" 2>/dev/null)" != "$who" ] || alive=true
  # As large as it was when it was taken; that it can be opened is tried where its key is.
  there=0
  good=$(sed -n 's/.*"lastGood": *"\([0-9TZ-]*\)".*/\1/p' "$backups/status.json")
  [ -z "$good" ] || there=$(du --bytes --summarize "/var/lib/botgarden/backups/$good" 2>/dev/null | cut -f 1)
  jq -r --argjson now "$now" --argjson hours "$backup_hours" --argjson alive "$alive" --argjson there "${there:-0}" \
    -f "$home/backups.jq" "$backups/status.json" 2>/dev/null >"$run/backups" ||
    printf 'bad\tbackup:failed\tthe status of the last backup cannot be read\tnpx zx playbooks/backup.ts\n' >"$run/backups"
  take <"$run/backups"
}
# The archive of WAL, by the record of its last run, which comes each half minute.
watch_archive() {
  [ -e /opt/botgarden/archive/archive ] && [ "$up" -gt 300 ] || return 0
  record=/run/botgarden/archive/status.json
  [ -s "$record" ] || record=/dev/null
  jq -n -r --argjson now "$now" -f "$home/archive.jq" "$record" 2>/dev/null >"$run/archive" ||
    printf 'bad\tarchive:run\tthe record of the archive of WAL cannot be read\tnpx zx playbooks/site.ts --tags backups\n' >"$run/archive"
  take <"$run/archive"
}
# By the daemon that sets it, and by what others say that it is: see $heard, of a server's answer.
watch_clock() {
  next="on the host: timedatectl; then npx zx playbooks/site.ts --tags base"
  if [ -n "$heard" ]; then
    # It was said at some time between the two.
    off=0
    if [ "$heard" -lt "$asked_at" ]; then off=$((asked_at - heard))
    elif [ "$heard" -gt "$heard_at" ]; then off=$((heard - heard_at)); fi
    [ "$off" -lt "$clock_seconds" ] || {
      bad clock "the clock is off by $off seconds, as Telegram tells the time" "$next"
      return
    }
  else
    unknown clock
  fi
  [ -z "$container" ] || return 0
  [ "$up" -gt 900 ] || return 0
  if command -v chronyc >/dev/null; then
    case $(timeout 5 chronyc -n -c tracking 2>/dev/null) in
    *'Not synchronised'* | '') bad clock 'chrony does not have the clock in step' "$next" ;;
    esac
  elif [ -d /run/systemd/timesync ] && [ ! -e /run/systemd/timesync/synchronized ]; then
    bad clock 'systemd-timesyncd has not set the clock since the boot' "$next"
  fi
}
