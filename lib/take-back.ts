/** Where the host keeps what was there before a guarded change, and how far the decision about it has come. */
export const guardFolder = '/var/lib/botgarden/guard'

/** What the names of the units begin with that guarded steps run in, each in one of its own. */
export const guardedUnit = 'botgarden-guarded-'

/**
 * What the host runs alone. Cut in the middle, by a reboot, it is run again: it only ends with `reverted`. What cannot be put
 * back, a file that is immutable or mounted, keeps nothing else from it. A link to what was kept needs no room on a full disk.
 */
export const takeBack = `cd ${guardFolder} || exit 0
mv armed reverting 2>/dev/null || [ -e reverting ] || exit 0
systemctl kill --signal=KILL '${guardedUnit}*' 2>/dev/null
systemctl stop '${guardedUnit}*'
same() { [ "$(stat -c '%F %a %u %g' "$1")" = "$(stat -c '%F %a %u %g' "$2" 2>/dev/null)" ] && { [ -d "$1" ] || diff -q --no-dereference "$1" "$2"; } >/dev/null; }
while IFS= read -r path; do
  [ -e "/$path" ] || [ -L "/$path" ] || continue
  find "/$path" -depth | while IFS= read -r new; do [ -e "old$new" ] || [ -L "old$new" ] || rm -rf "$new"; done
done <paths
while IFS= read -r path; do
  [ -e "old/$path" ] || [ -L "old/$path" ] || continue
  find "old/$path" | while IFS= read -r old; do
    new=\${old#old}
    same "$old" "$new" && continue
    if [ -d "$old" ] && [ ! -L "$old" ]; then
      if [ ! -d "$new" ] || [ -L "$new" ]; then rm -rf "$new"; mkdir "$new"; fi
      chown --reference="$old" "$new"; chmod --reference="$old" "$new"
    else
      [ ! -d "$new" ] || [ -L "$new" ] || rm -rf "$new"
      cp -aTl "$old" "$new.botgarden-old" 2>/dev/null || cp -aT "$old" "$new.botgarden-old"
      mv -fT "$new.botgarden-old" "$new" || rm -f "$new.botgarden-old"
    fi
  done
done <paths
sh ./restore
sync -f .
mv reverting reverted
`

/** The unit that runs it: by the clock, and after a boot. */
export const takeBackUnit = `[Unit]
Description=botgarden: take back a guarded change that nobody confirmed
ConditionPathExists=|${guardFolder}/armed
ConditionPathExists=|${guardFolder}/reverting
# After a boot nobody is left to confirm.
After=ssh.service ufw.service

[Service]
Type=oneshot
ExecStart=/bin/sh ${guardFolder}/take-back

[Install]
WantedBy=multi-user.target
`
