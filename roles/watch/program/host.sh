# shellcheck shell=dash
# The host itself: disks, clock, certificates, backups, and what nginx answers.
watch_disks() {
  # Each may be a disk of its own.
  df --output=target,pcent,ipcent / /boot /var/log /var/lib/docker /var/lib/botgarden /var/lib/botgarden/backups /var/lib/botgarden/data 2>/dev/null | sed 1d | sort -u >"$run/disks"
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
    # shellcheck disable=SC2086
    timeout 5 openssl s_client -connect "127.0.0.1:$port" $how </dev/null 2>/dev/null >"$run/certificate"
    # Asked for both, it tells of the time only.
    said=$(openssl x509 -in "$run/certificate" -noout -enddate "$what" "$name" 2>/dev/null)
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
  if [ -s "$backups/status.json" ]; then
    jq -r --argjson now "$now" --argjson hours "$backup_hours" -f "$home/backups.jq" "$backups/status.json" 2>/dev/null >"$run/backups" ||
      printf 'bad\tbackup:failed\tthe status of the last backup cannot be read\tnpx zx playbooks/backup.ts\n' >"$run/backups"
    take <"$run/backups"
  elif [ -n "$(find "$backups/settings" -mmin +$((backup_hours * 60)))" ]; then
    bad backup:age 'there is no backup yet' 'npx zx playbooks/backup.ts'
  fi
}
# Requests that ended with 5xx, of the minute since the last run.
watch_requests() {
  [ -e /opt/botgarden/nginx/compose.yaml ] || return 0
  [ -e "$run/requests" ] || : >"$run/requests"
  : >"$run/requests.new"
  journalctl --quiet --output cat --no-pager --since "@$last" CONTAINER_NAME=botgarden-nginx 2>/dev/null |
    awk -v now="$now" -v percent="$error_percent" -v bots="$bots" -v notes="$run/requests.new" -f "$home/requests.awk" \
      part=notes "$run/requests" part=log - >"$run/failing"
  mv -f "$run/requests.new" "$run/requests"
  while read -r bot all failed; do
    if [ "$bot" = pages ]; then
      bad errors:pages "$failed of $all requests of pages ended with 5xx within 5 minutes" 'npx zx playbooks/site.ts'
    else
      bad "errors:$bot" "$bot: $failed of $all updates were answered with 5xx within 5 minutes" "npx zx playbooks/bot.ts --name $bot --logs"
    fi
  done <"$run/failing"
}
# By the daemon that sets it, and by what others say that it is: see $heard, of a server's answer.
watch_clock() {
  next="on the host: timedatectl; then npx zx playbooks/site.ts --tags base"
  if [ -n "$heard" ]; then
    off=$((heard - heard_at))
    [ "${off#-}" -lt "$clock_seconds" ] || {
      bad clock "the clock is off by ${off#-} seconds, as Telegram tells the time" "$next"
      return
    }
  else
    unknown clock
  fi
  [ -z "$container" ] || return 0
  read -r up _ </proc/uptime
  [ "${up%.*}" -gt 900 ] || return 0
  if command -v chronyc >/dev/null; then
    case $(timeout 5 chronyc -n -c tracking 2>/dev/null) in
    *'Not synchronised'* | '') bad clock 'chrony does not have the clock in step' "$next" ;;
    esac
  elif [ -d /run/systemd/timesync ] && [ ! -e /run/systemd/timesync/synchronized ]; then
    bad clock 'systemd-timesyncd has not set the clock since the boot' "$next"
  fi
}
