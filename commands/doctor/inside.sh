# shellcheck shell=bash
# Runs in a container that stands where a bot does. Arguments: ADDRESS/PORT, to be connected to, and sql=HOST,ROLE,DATABASE. Prints
# what has let it in.
for each; do
  case $each in
    sql=*)
      IFS=, read -r host role database <<<"${each#sql=}"
      (psql -w -XqAt -h "$host" -U "$role" -d "$database" -c "select 1" >/dev/null 2>&1 && echo "open $each") &
      ;;
    *) (: <"/dev/tcp/$each" && echo "open $each") 2>/dev/null & ;;
  esac
done
for _ in {1..30}; do
  [ -n "$(jobs -rp)" ] || break
  sleep 0.1
done
echo tried
