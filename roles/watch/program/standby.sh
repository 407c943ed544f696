# shellcheck shell=dash
# The pair that the database server of this host belongs to, where it has a standby or is one.
watch_standby() {
  in_pair || return 0
  # After a boot the other one is looked for a moment later.
  [ "$up" -ge 120 ] || return 0
  standby_says
  is=well next='npx zx playbooks/site.ts'
  # shellcheck disable=SC2086
  set -- $said
  case "$*" in
  # A server that is down is told by its container.
  '') unknown 'standby:*' ;;
  'leads '*' lost')
    is=lost
    bad standby:lost 'the standby has missed more than is kept for it, and must be copied again' "$next"
    ;;
  'leads none waits '*)
    is=gone
    bad standby:gone 'the standby is gone, and every commit waits for it' "bring it back, or: npx zx playbooks/standby.ts --degrade --limit $host"
    ;;
  'leads none '*)
    is=gone
    ! lasts gone || bad standby:gone 'the standby is gone: what is written now is on this host alone' "$next"
    ;;
  'leads '*)
    fact "standby: $2, $4 MB behind"
    [ "$4" -le 64 ] || is=behind
    [ "$is" = well ] || ! lasts behind || bad standby:behind "the standby is $4 MB behind" 'on the standby: docker logs --tail 50 botgarden-postgres'
    ;;
  'follows none '*)
    is=gone
    ! lasts gone || bad standby:primary 'this standby does not reach its primary' "if that is gone for good: npx zx playbooks/failover.ts --from $(primary_name) --to $host"
    ;;
  *)
    fact "standby of $(primary_name): $3 s behind"
    [ "$3" -le 60 ] || is=behind
    [ "$is" = well ] || ! lasts behind || bad standby:behind "this standby is $3 s behind its primary" 'on the host: docker logs --tail 50 botgarden-postgres'
    ;;
  esac
  for each in gone behind; do [ "$is" = "$each" ] || rm -f "$run/since.$each"; done
}
# lasts WHAT [SECONDS]: it has been so for as long, or for a minute.
lasts() {
  noted "since.$1"
  if [ "$noted" = 0 ] || [ "$noted" -gt "$now" ]; then
    noted=$now
    echo "$now" >"$run/since.$1"
  fi
  [ $((now - noted)) -ge "${2:-50}" ]
}
# --standby: a moment after somebody began to wait, or ended to, all is looked at at once, not at the next minute.
standby_news() {
  in_pair || return 1
  standby_says
  told=$(cut -f 1 "$run"/*.table 2>/dev/null | grep -cx standby:gone)
  case $said in
  'leads none waits '*) [ "$told" = 0 ] ;;
  'leads none '* | '') return 1 ;;
  *) [ "$told" != 0 ] ;;
  esac
}
in_pair() { [ -d /etc/botgarden/secrets/postgres/standby ] && [ -e /opt/botgarden/postgres/compose.yaml ]; }
# Into $said: `leads STATE waits|goes-on MEGABYTES SLOT`, or `follows STATE SECONDS`; nothing where the server does not answer.
standby_says() {
  said=$(timeout 10 docker exec -i botgarden-postgres psql -XqAt -U postgres 2>/dev/null <<'sql'
select case when pg_is_in_recovery() then
  'follows ' || coalesce((select status from pg_stat_wal_receiver where status = 'streaming'), 'none') || ' ' ||
  case when pg_last_wal_receive_lsn() is not distinct from pg_last_wal_replay_lsn() then 0
    else coalesce(extract(epoch from now() - pg_last_xact_replay_timestamp())::int, 0) end
else
  coalesce((select state || ' ' || case when current_setting('synchronous_standby_names') = '' then 'goes-on' else 'waits' end || ' ' ||
      (pg_wal_lsn_diff(pg_current_wal_flush_lsn(), coalesce(flush_lsn, '0/0')) / 1000000)::int8
    from pg_stat_replication where usename = 'botgarden-standby' and application_name = 'standby' limit 1),
    'none ' || case when current_setting('synchronous_standby_names') = '' then 'goes-on' else 'waits' end || ' 0') || ' ' ||
  coalesce((select wal_status from pg_replication_slots where slot_name = 'standby'), 'none')
end;
sql
  )
  case $said in leads* | follows*) ;; ?*) said="leads $said" ;; esac
}
primary_name() { sed -n 's/.*"primary": *"\([A-Za-z0-9_.-]*\)".*/\1/p' /etc/botgarden/primary.json 2>/dev/null; }
