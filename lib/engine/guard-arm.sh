# shellcheck shell=dash
# keep_old PATH…: copies what is at these paths, which begin below /, into the folder $new, and goes there.
keep_old() {
  new=/var/lib/botgarden/guard.new
  rm -rf "$new" /var/lib/botgarden/guard /run/botgarden/verdict
  (umask 077; mkdir -p "$new")
  cd /
  for path; do
    printf '%s\n' "$path"
    # A change goes to the target of a link.
    if [ -L "$path" ]; then readlink -f "$path" | sed s,^/,,; fi
  done >"$new/paths"
  mkdir "$new/old"
  while IFS= read -r path; do
    if [ -e "$path" ] || [ -L "$path" ]; then cp -a --parents -- "$path" "$new/old"; fi
  done <"$new/paths"
  cd "$new"
}
# arm SECONDS UNIT: makes the folder effective, and starts the timer. UNIT: the text of the unit that reverts the change.
arm() {
  unit=/etc/systemd/system/botgarden-guard.service
  touch "$new/armed"
  sync -f "$new"
  mv -T "$new" /var/lib/botgarden/guard
  printf '%s\n' "$2" >"$unit"
  systemctl daemon-reload
  systemctl enable --quiet botgarden-guard.service
  # A reset from the provider's panel, the way out for an operator who is locked out, must not find an empty one.
  sync -f /var/lib/botgarden/guard
  sync -f "$unit"
  systemd-run --quiet "--on-active=$1" --timer-property=AccuracySec=1s --unit=botgarden-guard.service
}
