/** Where the units of long steps have their scripts and what they print: in memory, and root's alone. */
export const stepsFolder = '/run/botgarden/steps'

/** How many pieces of an output are kept. */
const pieces = 4

/**
 * Shell text that runs a script and keeps the end of what it prints in files `output.N`, each of 1024 reads or 1 MB. The
 * script waits for no reader, since it would stand still with a connection that does, and goes on where /run is full. What it
 * leaves behind may hold its output open: that ends with it.
 */
export function keepingOutput(script: string, folder: string): string {
  return `cd ${folder} && mkfifo pipe || exit
(
# Told to end, the script may have something to say yet.
trap '' TERM
n=0
while dd bs=1k count=1k status=none of="output.$n" 2>/dev/null; [ -s "output.$n" ]; do
n=$((n + 1))
rm -f "output.$((n - ${pieces}))"
done
exec cat >/dev/null
) <pipe &
keeper=$!
{
cd /
${script}
} >pipe 2>&1
result=$?
for _ in $(seq 50); do kill -0 $keeper 2>/dev/null || break; sleep 0.1; done
exit $result
`
}

/** Shell text that prints what is kept for as long as the process $client is there, and says where it came too fast. */
export function follow(folder: string): string {
  return `n=0
exec 5<${folder}/output.0
while :; do
over=; kill -0 "$client" 2>/dev/null || over=yes
next=
if [ -e ${folder}/output.$((n + 1)) ]; then next=$((n + 1))
elif ! [ -e "${folder}/output.$n" ]; then next=$(find ${folder} -name 'output.*' | sed 's/.*\\.//' | sort -n | awk -v n="$n" '$1 > n { print; exit }')
fi
cat <&5
if [ -n "$next" ]; then
[ "$next" = $((n + 1)) ] || printf '\\n… it prints faster than can be shown: up to %s MB are left out\\n' $((next - n - 1))
n=$next
command exec 5<"${folder}/output.$n" || :
elif [ -n "$over" ]; then break
else sleep 0.2
fi
done 2>/dev/null
exec 5<&-`
}
