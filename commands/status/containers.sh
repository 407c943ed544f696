# shellcheck shell=dash
# The containers of botgarden, one as JSON on each line, and what the kernel has counted of their memory.
# memory_of PID ID: prints `memory ID BYTES KILLS`, the bytes without what the kernel can give back at once.
memory_of() {
  old='' new=''
  while IFS=: read -r _ kind where; do
    case $kind in memory) old=/sys/fs/cgroup/memory$where ;; '') new=/sys/fs/cgroup$where ;; esac
  done <"/proc/$1/cgroup"
  if [ -e "$old/memory.usage_in_bytes" ]; then folder=$old usage=memory.usage_in_bytes events=memory.oom_control inactive=total_inactive_file
  else folder=$new usage=memory.current events=memory.events inactive=inactive_file
  fi
  read -r bytes <"$folder/$usage" || return 0
  kills=0
  while read -r word value; do [ "$word" != "$inactive" ] || bytes=$((bytes - value)); done <"$folder/memory.stat"
  while read -r word value; do [ "$word" != oom_kill ] || kills=$value; done <"$folder/$events"
  echo "memory $2 $bytes $kills"
}
if names=$(docker ps --all --quiet --no-trunc --filter name='^botgarden-' 2>/dev/null); then
  echo 'engine answers'
  said=$(printf '%s\n' "$names" | xargs -r docker container inspect --format "$format" -- 2>/dev/null) || :
  printf '%s\n' "$said"
  printf '%s\n' "$said" | sed -n 's/^{"id":"\([0-9a-f]*\)","pid":\([0-9]*\),.*/\2 \1/p' |
    while read -r pid id; do [ "$pid" = 0 ] || memory_of "$pid" "$id" 2>/dev/null; done
  # Of a container that has met its limit and was started again only the kernel's log tells.
  timeout 3 journalctl --dmesg --since=-1h --no-pager --output=cat --grep='oom_memcg=' --lines=100 2>/dev/null |
    sed -n 's/.*oom_memcg=[^,]*docker[-\/]\([0-9a-f]\{64\}\).*/killed \1/p' | sort -u
fi
