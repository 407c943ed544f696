import { randomBytes } from 'node:crypto'
import type { Reading } from '../model/reading.ts'
import { quote } from '../shell/sh.ts'
import { shellFile } from '../shell/shell-file.ts'
import { markCommand } from '../ssh/framing.ts'
import { type Block, blocksOf } from './blocks.ts'
import { eventFunctions, membersOf } from './events.ts'
import { type LockRequest, takeLock, underStepLock } from './host-lock.ts'
import { digestible, readText } from './read.ts'
import { revertOrphan, underGuard } from './revert-guard.ts'
import { guardedUnit } from './revert-script.ts'
import type { Step } from './step.ts'
import { keepingOutput, stepsFolder, unitFunctions } from './step-output.ts'

const sideBySide = shellFile(new URL('side-by-side.sh', import.meta.url))

/**
 * Shell text that runs the steps in order, those of several lanes side by side, and stops at the first that fails. Marks:
 * `begin N`, `end N STATUS`, and `line N` before each line of a step beside which others run. A step that was begun runs to its
 * end even where the connection is cut; no further step then begins. With a claim each is noted in the record of events.
 */
export function stepsText(steps: readonly Step[], nonce: string, claim?: LockRequest): string {
  // Every user of the host sees the names of units, so they must not contain the number that proves our marks.
  const run = randomBytes(6).toString('hex')
  const blocks = blocksOf(steps)
  const mayPass = new Set(blocks.flatMap(({ lanes }) => (lanes.length > 1 ? lanes.flat() : [])))
  return [
    stepRunner(nonce, claim !== undefined),
    ...(claim === undefined ? [] : [eventFunctions]),
    ...(blocks.some(({ lanes }) => lanes.length > 1) ? [sideBySide.text, lanesPipe(run)] : []),
    ...(steps.some((step) => step.long || step.guards.length > 0) ? [unitFunctions.text] : []),
    ...steps.map((step, i) => `step_${i}() {\n${stepText(step, `${run}-${i}`, mayPass.has(i))}\n}`),
    `step() {\ncase $1 in\n${steps.map((_, i) => `${i}) step_${i} ;;\n`).join('')}esac\n}`,
    ...blocks.map((block) => blockText(block, steps, nonce, claim)),
  ].join('\n')
}

function blockText({ lanes, atOnce }: Block, steps: readonly Step[], nonce: string, claim?: LockRequest): string {
  const run = (index: number, leave: string) => {
    const { title = '', changes = [] } = steps[index] ?? {}
    const event = claim === undefined ? '' : ` ${quote(membersOf({ changes }, claim))}`
    return `run ${index} ${quote(title)}${event}; [ "$status" = 0 ] || ${leave} "$status"`
  }
  if (lanes.length === 1) return (lanes[0] ?? []).map((index) => run(index, 'exit')).join('\n')
  const cases = lanes.map((lane, i) => `${i})\n${lane.map((index) => run(index, 'return')).join('\n')} ;;\n`)
  const names = lanes.flatMap(([index = 0]) => steps[index]?.lane ?? [])
  return `holding ${quote(`${names.join(', ')}, side by side`)}
lane() {
holding() { :; }
said() { printf '\\036%s line %s\\n%s\\n' ${nonce} "$1" "$2"; }
case $1 in
${cases.join('')}esac
}
side_by_side ${atOnce} ${lanes.map((_, i) => i).join(' ')}
[ "$status" = 0 ] || exit "$status"`
}

/** Opens the pipe by which lanes report. */
function lanesPipe(run: string): string {
  return `lanes=${stepsFolder}/lanes-${run}
(umask 077; mkdir -p ${stepsFolder} && mkfifo "$lanes") || { echo ${quote(noRoom)}; exit 1; }
exec 6<>"$lanes"
rm -f "$lanes"`
}

/**
 * Shell text of a whole stage: takes the host's lock, makes sure that it is still as it was read, runs the steps, and reads
 * everything behind the last. Marks: those of the lock, `drift` and nothing more where the host has changed, those of the
 * steps and of the readings.
 */
export function applyText(
  steps: readonly Step[],
  readings: readonly Reading[],
  digest: string,
  claim: LockRequest,
  nonce: string,
) {
  return [
    takeLock(claim, nonce),
    revertOrphan.text,
    `[ "$({ ${digestible(readings)}\n} 2>&1 | sha256sum | cut -c 1-64)" = ${digest} ] || { ${markCommand(nonce, 'drift')}; exit 0; }`,
    stepsText(steps, nonce, claim),
    readText(readings, nonce),
  ].join('\n')
}

/** Shell text that validates candidates in a private directory that is gone afterwards; marks as of steps. */
export function validateText(steps: readonly Step[], nonce: string): string {
  const directory = `dir=$(mktemp -d /run/botgarden-check.XXXXXX) || exit; trap 'rm -rf "$dir"' EXIT; trap 'exit 1' PIPE HUP TERM; holding() { :; }`
  return `${directory}\n${stepsText(steps, nonce)}`
}

/**
 * `run N TITLE [EVENT]`: the step's output goes through a reader that never goes away before the step does, so that no command in the
 * middle of its work is killed by SIGPIPE when the connection is cut. The step is a plain command here, since sh ignores
 * `set -e` on either side of `&&` and `||`.
 */
function stepRunner(nonce: string, notes: boolean): string {
  return `exec 4>&1
said() { printf '%s\\n' "$2"; }
forward() { trap '' PIPE; while IFS= read -r line || [ -n "$line" ]; do said "$1" "$line" 2>/dev/null; done; }
run() {
${markCommand(nonce, 'begin $1')}
holding "$2"
status=$({ { (set -e; step "$1") 3>&- 4>&- 9>&-; echo $? >&3; } 2>&1 | forward "$1" >&4; } 3>&1)
status=\${status:-137}${notes ? '\nnote_event "$3" "$status"' : ''}
${markCommand(nonce, 'end $1 $status')}
}`
}

function stepText({ script, long, title, guards }: Step, id: string, mayPass: boolean): string {
  if (guards.length > 0) return inUnit(underGuard(script.text), title, id, { prefix: guardedUnit })
  return long ? inUnit(script.text, title, id, { mayPass }) : script.text
}

const noRoom = '/run, which is in memory, has no room for the files of the step'

/**
 * In a transient unit of systemd's: it outlives the connection, and even the sshd that it came by. Where it `mayPass`, it makes
 * the file `$passed` when other lanes may begin, although it has more to do.
 */
function inUnit(script: string, title: string, id: string, { prefix = 'botgarden-', mayPass = false } = {}): string {
  const folder = `${stepsFolder}/${id}`
  const passed = mayPass ? `passed=${folder}/passed\n` : ''
  const text = keepingOutput(underStepLock(`set -e\nexport LC_ALL=C\n${passed}${script}`), folder)
  return `(umask 077; mkdir -p ${folder} && printf %s ${Buffer.from(text).toString('base64')} | base64 -d >${folder}/script && : >${folder}/output.0) || {
echo ${quote(noRoom)}
return 1
}
in_unit ${folder} ${prefix}${id} ${quote(title)}${mayPass ? ' mayPass' : ''}`
}
