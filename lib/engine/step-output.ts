import { runDir } from '../model/host-layout.ts'
import { shellFile } from '../shell/shell-file.ts'

/** The scripts and the output of long steps: in memory, and readable by root alone. */
export const stepsFolder = `${runDir}/steps`

/** How many pieces of an output are kept. */
const pieces = 4

/**
 * Shell text that runs a script and keeps the end of what it prints in files `output.N`, each of 1024 reads or 1 MB. The
 * script never waits for a reader, which a stalled connection would stop, and goes on where /run is full. Processes that it
 * leaves behind may keep its output open; they do not keep the step from ending.
 */
export function keepingOutput(script: string, folder: string): string {
  return `cd ${folder} && mkfifo pipe || exit
(
# After SIGTERM the script may still print something.
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

/** Shell functions: `in_unit FOLDER UNIT TITLE` runs the script in this folder in a unit, and prints what it keeps as it comes. */
export const unitFunctions = shellFile(new URL('step-unit.sh', import.meta.url))
