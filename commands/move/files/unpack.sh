# shellcheck shell=dash
relayed() {
  gzip --decompress --stdout | as_owner "$folder" tar --extract --listed-incremental=/dev/null --preserve-permissions --file=-
}
