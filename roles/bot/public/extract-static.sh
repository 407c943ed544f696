# shellcheck shell=dash
# extract_static IMAGE FOLDER ROUTE NAME: makes the folder $static/NAME, in which ROUTE has the files of a folder of the image. Nothing
# in the image is run, and what it has is unpacked by $user, never by root. Only regular files and folders are kept; root owns them.
extract_static() {
  [ ! -d "$static/$4" ] || [ "$(static_sum "$static/$4")" != "$(cat "$static/$4.sum" 2>/dev/null)" ] || return 0
  static_new=$static/$4.new
  rm -rf "$static_new" "$static_new.tree"
  mkdir -p "$static_new" "$static_new.tree${3%/*}"
  chown "$user:$user" "$static_new"
  case $2 in
  /*) static_path=$2 ;;
  *) static_path=$(docker image inspect --format '{{.Config.WorkingDir}}' -- "$1")/$2 ;;
  esac
  static_failed=''
  static_unpack "$1" "$static_path" || static_failed=yes
  if [ -n "$static_failed" ]; then rm -rf "$static_new" "$static_new.tree" "$static_new.said"; return 1; fi
  rm -f "$static_new.said"
  static_filter
  if [ "$3" = / ]; then rmdir "$static_new.tree"; mv -T "$static_new" "$static_new.tree"
  else mv -T "$static_new" "$static_new.tree$3"; fi
  chmod -R u=rwX,go=rX "$static_new.tree"
  rm -rf "${static:?}/$4" "$static/$4.sum"
  static_sum "$static_new.tree" >"$static/$4.sum"
  sync -f "$static_new.tree"
  mv -T "$static_new.tree" "$static/$4"
  sync "$static"
}
# static_unpack IMAGE PATH: into $static_new, at most 256 MiB and 10000 files.
static_unpack() {
  static_from=$(docker create --pull never --network none "$1" none)
  { docker cp "$static_from:$2/." - 2>"$static_new.said" || echo failed >>"$static_new.said"; } | head -c 268435456 |
    as_owner "$static_new" tar --extract --no-same-permissions 2>"$static_new.said.tar" || echo torn >>"$static_new.said.tar"
  docker rm --force --volumes "$static_from" >/dev/null 2>&1 || :
  static_said=$(cat "$static_new.said") static_torn=$(cat "$static_new.said.tar")
  rm -f "$static_new.said.tar"
  case $static_said in
  '') ;;
  *'ould not find the file'* | *'o such file'* | *'not a directory'*)
    echo "the image has no folder $2, which \"static:\" names: have the Dockerfile make it there (it is relative to its WORKDIR), or write the absolute path of the folder that it is in"
    return 1
    ;;
  esac
  if [ "$(du -sm "$static_new" | cut -f 1)" -ge 256 ] || [ "$(find "$static_new" -mindepth 1 | head -n 10001 | wc -l)" -gt 10000 ]; then
    echo "the folder $2 of the image has more than 256 MiB or 10000 files: serve large files from elsewhere"
    return 1
  fi
  [ -z "$static_said$static_torn" ] || { printf '%s\n' "$static_said" "$static_torn"; echo "the folder $2 of the image $1 could not be unpacked"; return 1; }
}
# Leaves what nginx may serve, and makes it ready.
static_filter() {
  static_links=$(find "$static_new" -mindepth 1 ! -type f ! -type d | wc -l)
  [ "$static_links" = 0 ] || echo "left out of the static files: $static_links that are neither a regular file nor a folder (a link leads nowhere here)"
  find "$static_new" -mindepth 1 ! -type f ! -type d -delete
  # .git, .env: nobody means to publish them. Names with a line break would be part of a header.
  find "$static_new" -mindepth 1 \( -name '.*' ! -name .well-known -o -name '*[[:cntrl:]]*' \) -prune -exec rm -rf -- {} +
  find "$static_new" -type f -exec chmod 0600 -- {} +
  chown -R -h root:root "$static_new"
  # nginx tells versions of a file apart by its time and size, and images keep old times: here it comes from the content.
  find "$static_new" -type f -print0 | xargs -0 -r sha256sum --zero -- |
    perl -0 -ne 'if (/^([0-9a-f]{8})[0-9a-f]{56} [ *](.*)\0\z/s) { my $time = hex($1) % 1600000000; utime $time, $time, $2 or die "$2: $!\n" }'
  find "$static_new" -type f -size +1k \( -name '*.html' -o -name '*.css' -o -name '*.js' -o -name '*.mjs' -o -name '*.json' -o -name '*.map' \
    -o -name '*.svg' -o -name '*.txt' -o -name '*.xml' -o -name '*.wasm' -o -name '*.webmanifest' -o -name '*.ttf' -o -name '*.ico' \) -print0 |
    xargs -0 -r gzip --keep --force --no-name --
}
