# shellcheck shell=dash
# static_sum FOLDER: changes with every write to what is in it.
static_sum() { (cd "$1" && find . -mindepth 1 -printf '%P %y %m %U %s %C@\0' | LC_ALL=C sort -z | sha256sum | cut -c 1-64); }
