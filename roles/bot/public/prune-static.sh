# shellcheck shell=dash
# keep_static NAME...: removes all other folders.
keep_static() {
  for static_old in "$static"/*; do
    static_name=${static_old##*/}
    static_kept=''
    for static_each; do case $static_name in "$static_each" | "$static_each.sum") static_kept=yes ;; esac; done
    [ -n "$static_kept" ] || rm -rf "$static_old"
  done
  rmdir "$static" 2>/dev/null || :
}
