# shellcheck shell=dash
cd /var/lib/botgarden/guard || exit 0
mv armed reverting 2>/dev/null || [ -e reverting ] || exit 0
systemctl kill --signal=KILL 'botgarden-guarded-*' 2>/dev/null
systemctl stop 'botgarden-guarded-*'
same() { [ "$(stat -c '%F %a %u %g' "$1")" = "$(stat -c '%F %a %u %g' "$2" 2>/dev/null)" ] && { [ -d "$1" ] || diff -q --no-dereference "$1" "$2"; } >/dev/null; }
while IFS= read -r path; do
  [ -e "/$path" ] || [ -L "/$path" ] || continue
  find "/$path" -depth | while IFS= read -r new; do [ -e "old$new" ] || [ -L "old$new" ] || rm -rf "$new"; done
done <paths
while IFS= read -r path; do
  [ -e "old/$path" ] || [ -L "old/$path" ] || continue
  find "old/$path" | while IFS= read -r old; do
    new=${old#old}
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
