# shellcheck shell=bash
# Runs in a container that stands where a bot does. Arguments: ADDRESS/PORT, to be connected to, and sql=HOST,ROLE,DATABASE; before
# `--` those that must let it in, which get more time. Prints what has let it in.
try() {
  case $1 in
    sql=*)
      IFS=, read -r host role database <<<"${1#sql=}"
      psql -w -XqAt -h "$host" -U "$role" -d "$database" -c "select 1" >/dev/null 2>&1 && echo "open $1"
      ;;
    *) (: <"/dev/tcp/$1") 2>/dev/null && echo "open $1" ;;
  esac
}
settle() {
  for ((tick = 0; tick < $1; tick++)); do
    [ -n "$(jobs -rp)" ] || break
    sleep 0.1
  done
}
for each; do
  if [ "$each" = -- ]; then settle 100; else try "$each" & fi
done
settle 30
echo tried
