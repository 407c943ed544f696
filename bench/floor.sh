#!/bin/sh
# The floor: everything that `playbooks/site.ts` reads on a host of the sandbox, by one ssh and one script that is written by
# hand for speed. It is what site.ts is measured against, and it decides nothing: it prints, and nobody parses it.
#
#   bench/floor.sh SSH_CONFIG HOST [CONTROL_PATH]     a new connection, or one that is kept at this path
#
# How it is kept honest. It reads what site.ts reads, no less: `test/bench/floor.test.ts` compares the kinds of its parts and the
# names in them with what the roles ask for, and `bench/floor.ts` looks for something of each kind in every answer that is timed.
# And no more: a part is the cheapest way that we know to the same facts. So texts are printed as they are (a certificate is a
# text, whose subject and end anybody can compute), no checksum is made of a file whose text is printed, one process
# reads many things, independent parts run side by side, and the engine and PostgreSQL are asked without Docker's command.
# It knows the host as its author did: that bots, certificates and keys are where site.ts puts them. What a host must not
# give away (passwords, tokens, keys) is compared there, or printed as a checksum.
# shellcheck disable=SC2086,SC2016 # lists of paths without a space, some with a pattern; programs of awk and dpkg-query
set -u

if [ $# -gt 0 ]; then
  kept='-o ControlMaster=no -o ControlPath=none'
  [ $# -lt 3 ] || kept="-o ControlMaster=auto -o ControlPersist=600 -o ControlPath=$3"
  exec ssh -T -F "$1" -o LogLevel=ERROR -o BatchMode=yes $kept "$2" 'exec sh' <"$0"
fi

files='
  /etc/aide /etc/aide/aide.conf /etc/apt/apt.conf.d/52botgarden /etc/botgarden /etc/botgarden/acme-ca.pem
  /etc/botgarden/secrets /etc/botgarden/secrets/backup-signing-key /etc/botgarden/secrets/bots
  /etc/botgarden/secrets/bots/* /etc/botgarden/secrets/bots/*/* /etc/botgarden/secrets/postgres
  /etc/botgarden/secrets/postgres/* /etc/botgarden/tls /etc/botgarden/tls/* /etc/cron.d/botgarden-backups
  /etc/default/debsums /etc/docker /etc/docker/daemon.json /etc/issue /etc/issue.net /etc/letsencrypt
  /etc/letsencrypt/renewal-hooks /etc/letsencrypt/renewal-hooks/deploy /etc/letsencrypt/renewal-hooks/deploy/botgarden
  /etc/login.defs /etc/modprobe.d /etc/modprobe.d/botgarden.conf /etc/needrestart/conf.d/botgarden.conf
  /etc/profile.d/botgarden.sh /etc/security/limits.d/botgarden.conf /etc/ssh/sshd_config.d
  /etc/ssh/sshd_config.d/00-botgarden.conf /etc/sysctl.d/99-botgarden.conf /etc/systemd/coredump.conf.d
  /etc/systemd/coredump.conf.d/botgarden.conf /etc/systemd/journald.conf.d /etc/systemd/journald.conf.d/botgarden.conf
  /etc/systemd/system/apt-daily-upgrade.service.d /etc/systemd/system/apt-daily-upgrade.service.d/botgarden.conf
  /etc/systemd/system/botgarden-changes.service /etc/systemd/system/botgarden-changes.timer
  /etc/systemd/system/certbot.service.d /etc/systemd/system/certbot.service.d/botgarden-serve.conf
  /etc/systemd/system/certbot.service.d/botgarden.conf /etc/systemd/system/docker.service.d
  /etc/systemd/system/docker.service.d/botgarden.conf /etc/systemd/system/ssh.service.d
  /etc/systemd/system/ssh.service.d/botgarden.conf /etc/systemd/system/swapfile.swap
  /etc/systemd/system/systemd-journald.service.d /etc/systemd/system/systemd-journald.service.d/botgarden.conf
  /etc/tmpfiles.d/botgarden-nginx.conf /etc/tmpfiles.d/botgarden-postgres.conf /etc/ufw/after.init /opt/botgarden
  /opt/botgarden/backups /opt/botgarden/backups/backup /opt/botgarden/backups/parts.sh /opt/botgarden/backups/recipients
  /opt/botgarden/backups/retention.awk /opt/botgarden/backups/rows.awk /opt/botgarden/backups/settings
  /opt/botgarden/backups/data.py /opt/botgarden/bots /opt/botgarden/bots/* /opt/botgarden/bots/*/cache
  /opt/botgarden/bots/*/cache/compose.yaml /etc/botgarden/secrets/bots/*/cache/server.conf /var/lib/botgarden/data/*/cache
  /var/lib/botgarden/data/*/current/* /opt/botgarden/certbot /opt/botgarden/certbot/serve /opt/botgarden/nginx
  /opt/botgarden/nginx/compose.yaml /opt/botgarden/nginx/conf /opt/botgarden/nginx/conf/bots
  /opt/botgarden/nginx/conf/bots/*.conf /opt/botgarden/nginx/conf/nginx.conf /opt/botgarden/nginx/conf/own
  /opt/botgarden/nginx/conf/sites /opt/botgarden/nginx/conf/sites/* /opt/botgarden/nginx/static/*/*
  /opt/botgarden/nginx/generations /opt/botgarden/nginx/running /opt/botgarden/postgres
  /opt/botgarden/postgres/compose.yaml /opt/botgarden/postgres/conf /opt/botgarden/postgres/conf/bots
  /opt/botgarden/postgres/conf/bots/*.conf /opt/botgarden/postgres/conf/pg_hba.conf
  /opt/botgarden/postgres/conf/postgresql.conf /run/botgarden/nginx /run/botgarden/postgres /var/lib/botgarden
  /var/lib/botgarden/acme /var/lib/botgarden/acme/.well-known /var/lib/botgarden/acme/.well-known/acme-challenge
  /var/lib/botgarden/backups /var/lib/botgarden/bots /var/lib/botgarden/postgres
  /var/lib/botgarden/postgres/17/docker/PG_VERSION /var/lib/botgarden/postgres/18/docker/PG_VERSION /var/lib/botgarden/postgres/19/docker/PG_VERSION
  /root /root/.ssh /root/.ssh/authorized_keys /root/.ssh/authorized_keys2
  /etc/letsencrypt/renewal/*.conf /run/reboot-required /run/cloud-init/enabled /run/cloud-init/result.json /swapfile'

texts='
  /etc/aide/aide.conf /etc/apt/apt.conf.d/52botgarden /etc/botgarden/acme-ca.pem /etc/cron.d/botgarden-backups
  /etc/default/debsums /etc/docker/daemon.json /etc/issue /etc/issue.net /etc/letsencrypt/renewal-hooks/deploy/botgarden
  /etc/login.defs /etc/modprobe.d/botgarden.conf /etc/needrestart/conf.d/botgarden.conf /etc/profile.d/botgarden.sh
  /etc/security/limits.d/botgarden.conf /etc/sysctl.d/99-botgarden.conf /etc/systemd/coredump.conf.d/botgarden.conf
  /etc/systemd/journald.conf.d/botgarden.conf /etc/systemd/system/apt-daily-upgrade.service.d/botgarden.conf
  /etc/systemd/system/botgarden-changes.service /etc/systemd/system/botgarden-changes.timer
  /etc/systemd/system/certbot.service.d/botgarden-serve.conf /etc/systemd/system/certbot.service.d/botgarden.conf
  /etc/systemd/system/docker.service.d/botgarden.conf /etc/systemd/system/ssh.service.d/botgarden.conf
  /etc/systemd/system/swapfile.swap /etc/systemd/system/systemd-journald.service.d/botgarden.conf
  /etc/tmpfiles.d/botgarden-nginx.conf /etc/tmpfiles.d/botgarden-postgres.conf /etc/ufw/after.init
  /opt/botgarden/backups/backup /opt/botgarden/backups/parts.sh /opt/botgarden/backups/recipients
  /opt/botgarden/backups/retention.awk /opt/botgarden/backups/rows.awk /opt/botgarden/backups/settings
  /opt/botgarden/backups/data.py /opt/botgarden/bots/*/cache/compose.yaml /etc/botgarden/secrets/bots/*/cache/server.conf
  /opt/botgarden/certbot/serve /opt/botgarden/nginx/compose.yaml /opt/botgarden/nginx/conf/bots/*.conf
  /opt/botgarden/nginx/conf/sites/*
  /opt/botgarden/nginx/conf/nginx.conf /opt/botgarden/postgres/compose.yaml /opt/botgarden/postgres/conf/pg_hba.conf
  /opt/botgarden/postgres/conf/bots/*.conf /opt/botgarden/postgres/conf/postgresql.conf /run/botgarden/docker.started-with /run/botgarden/journald.started-with
  /run/botgarden/sshd.started-with /var/lib/botgarden/bots/*/current.json
  /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf /etc/default/ssh
  /root/.ssh/authorized_keys /root/.ssh/authorized_keys2
  /etc/default/ufw /etc/ufw/ufw.conf /etc/ufw/before.rules /etc/ufw/after.rules /etc/ufw/user.rules /etc/ufw/before6.rules
  /etc/ufw/after6.rules /etc/ufw/user6.rules
  /etc/botgarden/tls/*/current/fullchain.pem /etc/letsencrypt/renewal/*.conf /etc/letsencrypt/live/*/fullchain.pem
  /opt/botgarden/nginx/running/checksum.conf /opt/botgarden/nginx/running/.files
  /var/lib/botgarden/allocations /var/lib/botgarden/bots/*/webhook /opt/botgarden/backups/status.json
  /var/lib/botgarden/held-updates /run/reboot-required.pkgs'

packages='
  age aide aide-common apt-listchanges ca-certificates certbot containerd containerd.io cron curl debsums docker-buildx
  docker-buildx-plugin docker-ce docker-ce-cli docker-cli docker-compose docker-compose-plugin docker.io iptables-persistent
  jq libpam-pwquality libpam-tmpdir needrestart netfilter-persistent tzdata ufw unattended-upgrades
  chrony ntpsec openntpd systemd-timesyncd dpkg'

units='
  apt-daily-upgrade.timer apt-daily.timer botgarden-changes.timer certbot.service certbot.timer containerd.service cron.service
  docker.service ssh.service ssh.socket swapfile.swap systemd-journald.service
  systemd-timesyncd.service ufw.service'

kernel='
  /proc/sys/dev/tty/ldisc_autoload /proc/sys/fs/protected_fifos /proc/sys/fs/protected_hardlinks
  /proc/sys/fs/protected_regular /proc/sys/fs/protected_symlinks /proc/sys/fs/suid_dumpable
  /proc/sys/kernel/dmesg_restrict /proc/sys/kernel/kptr_restrict /proc/sys/kernel/sysrq
  /proc/sys/kernel/unprivileged_bpf_disabled /proc/sys/kernel/yama/ptrace_scope /proc/sys/net/core/bpf_jit_harden
  /proc/sys/net/ipv4/conf/all/accept_redirects /proc/sys/net/ipv4/conf/all/accept_source_route
  /proc/sys/net/ipv4/conf/all/rp_filter /proc/sys/net/ipv4/conf/all/send_redirects
  /proc/sys/net/ipv4/conf/default/accept_redirects /proc/sys/net/ipv4/conf/default/accept_source_route
  /proc/sys/net/ipv4/conf/default/rp_filter /proc/sys/net/ipv4/conf/default/send_redirects
  /proc/sys/net/ipv6/conf/all/accept_redirects /proc/sys/net/ipv6/conf/default/accept_redirects
  /proc/sys/vm/swappiness
  /proc/swaps /proc/meminfo /proc/net/route /proc/net/if_inet6 /proc/self/status /run/systemd/container
  /etc/os-release /etc/resolv.conf /run/systemd/resolve/resolv.conf
  /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory.current /sys/fs/cgroup/memory.stat
  /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory/memory.usage_in_bytes /sys/fs/cgroup/memory/memory.stat'

# In one line: it travels as JSON.
catalog="select json_build_object('roles', (select json_agg(json_build_array(rolname, rolsuper, rolbypassrls, rolcreatedb, \
rolcreaterole, rolcanlogin, rolreplication, rolconnlimit, rolvaliduntil, \
shobj_description(r.oid, 'pg_authid') = (select 'botgarden:' || encode(sha256((left(sum, 64) || rolpassword)::bytea), 'hex') \
from unnest(string_to_array('SUMS', ',')) sum where split_part(sum, '/', 2) = replace(rolname, '_', '-')), \
(select setconfig from pg_db_role_setting where setrole = r.oid and setdatabase = 0), \
(select json_agg(roleid::regrole) from pg_auth_members where member = r.oid))) from pg_authid r where rolname !~ '^pg_'), \
'databases', (select json_agg(json_build_array(datname, datdba::regrole, datistemplate, datallowconn, \
(select json_agg(distinct grantee::regrole) from aclexplode(coalesce(datacl, acldefault('d', datdba)))))) \
from pg_database where datname <> 'template0'), \
'config', current_setting('botgarden.config', true), \
'pending', (select json_agg(name) from pg_settings where pending_restart), \
'access', (select json_agg(json_build_array(type, database, user_name, address, netmask, auth_method, error, \
(pg_stat_file(file_name)).modification > pg_conf_load_time())) from pg_hba_file_rules), \
'extensions', (select json_agg(extname) from pg_extension))"

ask_engine() { curl --silent --unix-socket /run/docker.sock "$@"; }

# A mark on a role binds the password's file and what the server keeps of it, so that nobody has to log in.
postgres() {
  sums=
  IFS='
'
  for sum in $(sha256sum -- bots/*/database-password); do sums="$sums$sum,"; done
  catalog="${catalog%%SUMS*}$sums${catalog#*SUMS}"
  id=$(ask_engine -H 'Content-Type: application/json' http://d/containers/botgarden-postgres/exec \
    -d "{\"AttachStdout\":true,\"AttachStderr\":true,\"Cmd\":[\"psql\",\"-XqAtw\",\"-U\",\"postgres\",\"-c\",\"$catalog\"]}")
  id=${id#*'"Id":"'}
  ask_engine -H 'Content-Type: application/json' -d '{}' "http://d/exec/${id%%'"'*}/start"
}

# A running container's own view of each folder that it has mounted is compared with what is at that path now.
engine() {
  bots=
  for folder in /var/lib/botgarden/bots/*/; do
    folder=${folder%/}
    bots="$bots,${folder##*/}-blue,${folder##*/}-green"
  done
  ask_engine 'http://d/images/{postgres:18.6,nginx:1.30.6,valkey/valkey:8.1.11,redis:8.2.3}/json' http://d/networks \
    "http://d/containers/botgarden-{postgres,drill,nginx$bots}/json" | awk '
      { print }
      match($0, /"Pid":[1-9][0-9]*/) {
        pid = substr($0, RSTART + 6, RLENGTH - 6)
        while (match($0, /"Type":"bind","Source":"[^"]*","Destination":"[^"]*"/)) {
          split(substr($0, RSTART, RLENGTH), word, "\"")
          $0 = substr($0, RSTART + RLENGTH)
          print word[8] "\n/proc/" pid "/root" word[12] | stat
        }
      }
      END { fflush(); close(stat) }' stat='exec xargs -r -d "\n" stat -L --printf "inode %d:%i %n\n" --'
}

firewall() {
  iptables-save &
  ip6tables-save >"$answers/ip6tables"
  wait
  cat "$answers/ip6tables"
  rm "$answers/ip6tables"
}

sockets() {
  ss -Hltnp '( sport = :80 or sport = :443 )' | while IFS= read -r line; do
    pid=${line#*pid=}
    IFS= read -r cgroup <"/proc/${pid%%,*}/cgroup" || cgroup=
    printf '%s %s\n' "$line" "$cgroup"
  done
}

served() {
  for folder in /etc/botgarden/tls/*/; do
    folder=${folder%/}
    timeout 30 openssl s_client -connect 127.0.0.1:443 -servername "${folder##*/}"
  done
}

private_keys() {
  for folder in /etc/botgarden/tls/*/; do openssl pkey -in "$folder/current/privkey.pem" -pubout; done
}

# What takes no process.
shell() {
  for name in sh apt-config sshd dockerd docker age; do
    command -v "$name" >/dev/null && printf 'program %s\n' "$name"
  done
  for name in postgres/superuser bots/*/database-password; do
    secret=/etc/botgarden/secrets/$name
    { IFS= read -r password <"$secret"; IFS= read -r pass <"${secret%/*}/pgpass"; } || [ -n "$pass" ]
    [ "${pass##*:}" = "$password" ] && printf 'pgpass %s %s\n' "$name" "${pass%:*}"
  done
  for token in /etc/botgarden/secrets/bots/*/token; do
    IFS=: read -r id _ <"$token" || :
    printf 'token %s %s\n' "$token" "$id"
  done
  while IFS= read -r line; do
    case $line in *'"process": "'[0-9]*)
      pid=${line#*'"process": "'}
      IFS= read -r stat <"/proc/${pid%% *}/stat" && printf 'alive %s\n' "$stat"
      ;;
    esac
  done </opt/botgarden/backups/status.json
}

n=100
job() {
  n=$((n + 1)) kinds=$1
  shift
  { printf '\n== %s\n' "$kinds"; "$@"; } >"$answers/$n" &
}

floor() {
  export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
  cd /etc/botgarden/secrets || exit
  # In memory: side by side they would print into each other.
  answers=$(mktemp -d /run/floor.XXXXXX)
  held=
  [ ! -e /var/lib/botgarden/held-updates ] ||
    while read -r name _; do held="$held $name"; done </var/lib/botgarden/held-updates
  # Of the login: client, port, server, port.
  read -r client _ server port <<LOGIN
$SSH_CONNECTION
LOGIN
  as="user=root,host=$client,addr=$client,laddr=$server,lport=$port,rdomain="
  # The longest first.
  job 'postgres' postgres
  job 'container image network record' engine
  job 'sshd keys' exec sshd -T -C "$as"
  job 'sshd' exec sshd -T -C "$as" -f /etc/ssh/sshd_config.d/00-botgarden.conf
  job 'ufw' firewall
  job 'port-holders' sockets
  job 'served' served
  job 'certificate' private_keys
  job 'unit renewal' exec systemctl show -p Id,LoadState,ActiveState,UnitFileState,NeedDaemonReload,Result,ExecMainExitTimestamp -- $units
  job 'package waiting' exec dpkg-query -W -f '${Package} ${db:Status-Eflag} ${db:Status-Status} ${Version} ${Architecture}\n' -- $packages $held
  job 'text ufw sshd keys certificate lineage own-lineages nginx allocations releases record process-containers database-contents webhook backups waiting' \
    exec tar -chPf - $texts
  job 'file user keys swap own-lineages test nginx facts data cache-config static-files' exec stat --printf '%F|%a|%U|%G|%u|%g|%s|%N\n' -- $files
  job 'file nginx' exec find /opt/botgarden/nginx/conf /opt/botgarden/nginx/running/ /etc/botgarden/secrets \
    /var/lib/botgarden/postgres/18/docker/PG_VERSION -type f -exec sha256sum -- {} +
  job 'nginx' exec curl --silent --max-time 5 --unix-socket /run/botgarden/nginx/status.sock http://localhost/config
  job 'left-files jobs kept-secrets facts' exec find /etc/systemd/system /var/lib/botgarden/incoming /etc/botgarden/secrets /opt/botgarden/bots \
    /var/lib/botgarden/bots /var/lib/botgarden/dumps /var/lib/botgarden/removed /var/lib/botgarden/allocations.new \
    \( -name '*.new' -o -name 'botgarden-job-*' -o -name 'botgarden-*.timer' -o -path '/var/lib/botgarden/incoming/*' -o -path '/etc/botgarden/secrets/bots/*/*' \) -printf '%p %y %s %T@\n'
  job 'user' exec awk -F : 'FILENAME == "/etc/shadow" { $0 = $1 ":" ($2 == "" ? "NP" : $2 ~ /^[!*]/ ? "L" : "P") }
    { print FILENAME ":" $0 }' /etc/passwd /etc/group /etc/shadow
  job 'sysctl swap free-capacity routes facts' exec grep -sH '' $kernel
  job 'record' exec tail -v -n 1 /var/lib/botgarden/bots/*/releases
  job 'free-capacity swap' exec df --output=avail,target -k /var/lib/docker /
  job 'facts' exec hostname -I
  job 'facts' exec ip -4 route get 192.0.2.1
  job 'backups' exec date +%s
  job 'program test token-owners' shell
  wait
  cat "$answers"/*
  rm -r "$answers"
}
floor </dev/null 2>/dev/null
