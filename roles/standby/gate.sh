# shellcheck shell=dash
# Whether this host may serve. It may where it is the primary by the highest epoch that is known: by its own record, by that of its peer, and,
# where the peer cannot be asked, by where Telegram delivers to. Where none can tell, what serves goes on, and what does not is not begun.
pattern='s/^{"epoch":\([1-9][0-9]\{0,8\}\),"primary":"\([A-Za-z0-9._-]*\)","standby":"\([A-Za-z0-9._-]*\)"}$/\1 \2 \3/p'
# An engine that hangs must not hold the lock for ever.
docker() { timeout 90 docker "$@"; }
record_in() { # record_in TEXT: into $at_epoch, $at_primary, $at_standby
  read -r at_epoch at_primary at_standby <<END
$(printf '%s\n' "$1" | sed -n "$pattern" | head -n 1)
END
  [ -n "$at_standby" ]
}
own_record() {
  epoch=0 primary='' standby=''
  record_in "$(head -c 400 "$record" 2>/dev/null)" || return 0
  epoch=$at_epoch primary=$at_primary standby=$at_standby
}
mac() { # mac TEXT: NMAC of SHA-256 by the two halves of the key, which no argument has
  { head -c 64 "$key"; { tail -c 64 "$key"; printf %s "$1"; } | sha256sum | cut -c 1-64; } | sha256sum | cut -c 1-64
}
public_address() {
  awk -v wanted="$peer_mesh/32" '/^\[Peer\]/ { a = e = "" } /^AllowedIPs = / { a = $3 } /^Endpoint = / { e = $3 }
    a == wanted && e != "" { sub(/:[0-9]+$/, "", e); print e; exit }' "$mesh_file" 2>/dev/null
}
# ask_peer ADDRESS: its record into $at_…, where it is really the peer that answers, and now.
ask_peer() {
  nonce=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
  said=$(curl --silent --noproxy '*' --connect-timeout 2 --max-time 4 --max-filesize 1000 "http://$1:$port/$nonce") || return 1
  [ "${said##* }" = "$(mac "$nonce $peer ${said% *}")" ] || return 1
  record_in "${said% *}"
}
hear_peer() {
  for address in "$peer_mesh" $(public_address); do
    ask_peer "$address" && return
  done
  return 1
}
# ask_telegram: how many webhooks are of this host, into $here, and of its peer, into $there. No answer counts for neither.
ask_telegram() {
  here=0 there=0
  urls=$(
    for current in "$bots"/*/current.json; do
      bot=${current%/current.json} bot=${bot##*/}
      grep -q '"mode":"webhook"' "$current" 2>/dev/null || continue
      [ ! -s "$secrets/$bot/token" ] ||
        printf 'url = "%s/bot%s/getWebhookInfo"\n' "$telegram" "$(cat "$secrets/$bot/token")"
    done
  )
  [ -n "$urls" ] || return 0
  answers=$({ printf 'write-out = "\\n"\n'; printf '%s\n' "$urls"; } | curl --silent --parallel --max-time 8 --config - | tr -d '\134')
  here=$(printf '%s\n' "$answers" | grep -cF "\"url\":\"$own_origin/")
  there=$(printf '%s\n' "$answers" | grep -cF "\"url\":\"$peer_origin/")
}
# judge: open or shut, and why, into $verdict and $why.
judge() {
  own_record
  heard=no
  if hear_peer; then
    heard=yes
    if [ "$at_epoch" -gt "$epoch" ] && { [ "$at_primary $at_standby" = "$host $peer" ] || [ "$at_primary $at_standby" = "$peer $host" ]; }; then
      epoch=$at_epoch primary=$at_primary standby=$at_standby
      write_record
    fi
  fi
  verdict=shut
  is_fenced
  if [ "$epoch" = 0 ]; then
    why="$record cannot be read"
  elif [ "$primary" != "$host" ]; then
    why="$primary is the primary since epoch $epoch"
  elif [ "$heard" = yes ] && [ "$at_epoch" -gt "$epoch" ] && [ "$at_primary" != "$host" ]; then
    # Of another pair, which the peer is in by now.
    why="$at_primary is the primary since epoch $at_epoch, as $peer knows"
  elif [ "$fenced" -gt "$epoch" ]; then
    why="it was stopped for a failover to $peer that has not ended"
  elif [ "$heard" = yes ] && [ "$at_epoch" = "$epoch" ] && [ "$at_primary" != "$host" ]; then
    why="$peer has it that $at_primary is the primary of epoch $epoch, too: failover.ts decides"
  elif [ "$heard" = yes ]; then
    verdict=open why="primary of epoch $epoch, as $peer knows"
    settle
  elif [ -e "$run/started" ]; then
    verdict=open why="primary of epoch $epoch; $peer does not answer"
    [ "$(cat "$state/settled" 2>/dev/null)" != "$epoch" ] || webhooks_decide
    settle
  else
    why="$peer does not answer, and no webhook tells which host serves"
    webhooks_decide
  fi
}
# is_fenced: for which epoch this host was stopped, into $fenced.
is_fenced() {
  fenced=$(head -c 20 "$state/fenced" 2>/dev/null)
  case $fenced in '' | *[!0-9]*) fenced=0 ;; esac
}
webhooks_decide() {
  ask_telegram
  if [ "$there" -gt 0 ]; then
    verdict=shut why="$peer does not answer, and Telegram delivers to $peer"
    # In the middle of a failover to this host they are there still: its command is to be repeated.
    [ "$(cat "$state/settled" 2>/dev/null)" = "$epoch" ] || why="$why, which a failover to $host that has not ended may mean"
  elif [ "$here" -gt 0 ]; then
    verdict=open why="primary of epoch $epoch; $peer does not answer, and Telegram delivers to this host"
    replaced "$state/settled" "$epoch"
  fi
}
# settle: from here on a webhook of the peer means that it has taken over since.
settle() {
  [ "$verdict" = open ] && [ "$(cat "$state/settled" 2>/dev/null)" != "$epoch" ] || return 0
  ask_telegram
  if [ "$here" -gt 0 ] && [ "$there" = 0 ]; then replaced "$state/settled" "$epoch"; fi
}
# refuse_former: nobody's word brings a host to serve whose peer has taken over since. In a failover that has not ended the webhooks are
# at the peer still, but then this host has not served in that epoch yet.
refuse_former() {
  [ ! -e "$run/started" ] || return 0
  if hear_peer && [ "$at_epoch" -gt "$epoch" ] && [ "$at_primary" != "$host" ]; then
    echo "$at_primary is the primary since epoch $at_epoch, as $peer knows: what $host has is older"
    exit 1
  fi
  [ "$(cat "$state/settled" 2>/dev/null)" = "$epoch" ] || return 0
  ask_telegram
  [ "$there" -gt 0 ] || return 0
  echo "Telegram delivers to $peer, which has taken over from $host since that served: what $host has is older"
  echo "bring $peer back; if it is lost with all that it had, take \"standby\" out of the inventory, and on $host type: rm $record; then npx zx playbooks/site.ts has it serve what it has"
  exit 1
}
replaced() { # replaced FILE TEXT
  printf '%s\n' "$2" >"$1.new"
  sync "$1.new"
  mv -fT "$1.new" "$1"
  sync "${1%/*}"
}
write_record() {
  replaced "$record" "{\"epoch\":$epoch,\"primary\":\"$primary\",\"standby\":\"$standby\"}"
}
# Replicas of a bot of another host are the swarm's, and no part of the pair.
running_bots() {
  docker ps --filter label=botgarden.bot --format '{{if not (.Label "com.docker.swarm.service.name")}}{{.ID}}{{end}}' | sed '/^$/d'
}
# What a boot would have started.
waiting_bots() {
  docker ps --all --quiet --filter label=botgarden.bot --filter status=exited --filter status=created |
    xargs -r timeout 90 docker container inspect --format '{{if eq .HostConfig.RestartPolicy.Name "always"}}{{.Id}}{{end}}' | sed '/^$/d'
}
open_gate() {
  mkdir -p "$run/postgres" "$run/bots"
  [ ! -e "$run/started" ] || return 0
  # Where it had written up to when it was stopped is not true any more.
  rm -f "$state/flushed"
  docker start "$server" >/dev/null 2>&1 || :
  waiting_bots | xargs -r timeout 90 docker start >/dev/null 2>&1 || :
  : >"$run/started"
}
shut_gate() {
  rm -f "$run/started"
  rmdir "$run/bots" 2>/dev/null || :
  running_bots | xargs -r timeout 90 docker stop --time 10 >/dev/null 2>&1 || :
  # Twice, for one that was being started.
  running_bots | xargs -r timeout 90 docker stop --time 10 >/dev/null 2>&1 || :
  if [ -e "$cluster/standby.signal" ]; then
    # It cannot be written to.
    [ -d "$run/postgres" ] || { mkdir -p "$run/postgres"; docker start "$server" >/dev/null 2>&1 || :; }
    return 0
  fi
  rmdir "$run/postgres" 2>/dev/null || :
  [ -n "$(docker ps --quiet --filter "name=^$server\$")" ] || return 0
  # Nobody writes any more but the server itself: up to here a standby has to have it.
  for _ in 1 2 3; do
    at=$(printf 'select pg_current_wal_flush_lsn()' | timeout 20 docker exec -i "$server" psql -XqAt -U postgres 2>/dev/null)
    [ -z "$at" ] || break
  done
  [ -z "$at" ] || replaced "$state/flushed" "$epoch $at"
  docker stop --time 60 "$server" >/dev/null 2>&1 || :
}
# obey: does what was judged, and says so once.
obey() {
  if [ "$verdict" = open ]; then open_gate; else shut_gate; fi
  now="$verdict $why"
  [ "$(tail -n +2 "$run/verdict" 2>/dev/null)" = "$now" ] || logger -t botgarden-gate -- "$now"
  printf '%s\n%s\n' "$(date +%s)" "$now" >"$run/verdict.new"
  mv -fT "$run/verdict.new" "$run/verdict"
}
umask 077
mkdir -p "$run" "$state"
exec 8>>"$run/lock"
flock -w 120 8 || exit 1
case ${1:-look} in
look)
  judge
  obey
  ;;
# open EPOCH [back|decided]: this host is the primary of that epoch, as an operator's run knows that has asked both, or was told so. One that
# was stopped for a failover is opened by failover.ts alone, which decides that it goes back, or has just decided for this host.
open)
  own_record
  [ "$epoch $primary" = "$2 $host" ] || { echo "this host is not the primary of epoch $2: $(cat "$record" 2>/dev/null)"; exit 1; }
  is_fenced
  [ "${3:-}" != '' ] || [ "$fenced" -le "$epoch" ] || { echo "$host was stopped for a failover to $peer that has not ended"; exit 1; }
  [ "${3:-}" = decided ] || refuse_former
  rm -f "$state/fenced"
  verdict=open why="primary of epoch $epoch, as a run of botgarden said"
  obey
  ;;
# fence EPOCH: stopped, whatever comes, until a record of that epoch or a later one says otherwise.
fence)
  own_record
  replaced "$state/fenced" "$2"
  verdict=shut why="it was stopped for a failover to $peer that has not ended"
  obey
  sed -n "s/^$epoch /flushed /p" "$state/flushed" 2>/dev/null
  left=$(docker ps --format '{{if not (.Label "com.docker.swarm.service.name")}}{{.Names}} {{.Label "botgarden.bot"}}{{end}}') || { echo 'Docker does not answer, so what runs cannot be told or stopped'; exit 1; }
  left=$(printf '%s\n' "$left" | awk -v server="$server" 'NF > 1 || $1 == server { print $1 }')
  [ ! -e "$cluster/standby.signal" ] || left=$(printf '%s\n' "$left" | grep -vxF -e "$server")
  [ -z "$left" ] || { echo 'these run still:'; printf '%s\n' "$left"; exit 1; }
  ;;
# record EPOCH PRIMARY STANDBY: an older one is not written.
record)
  own_record
  [ "$2" -ge "$epoch" ] || { echo "there is a record of epoch $epoch"; exit 1; }
  epoch=$2 primary=$3 standby=$4
  write_record
  ;;
esac
