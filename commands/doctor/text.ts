import type { Paint } from '../../lib/std/colour.ts'
import { oneLine } from '../../lib/std/output.ts'
import type { HostVerdicts } from './host-doctor.ts'
import type { Verdict } from './verdict.ts'

/** All promises, one a line; under a broken one what was seen, and the command that mends it. */
export function doctorText(all: readonly HostVerdicts[], paint: Paint): string {
  const verdicts = all.flatMap(({ verdicts: of }) => of)
  const count = (result: Verdict['result']) => verdicts.filter((each) => each.result === result).length
  const lost = all.filter((each) => each.lost !== undefined).length
  const sum = `${count('kept')} kept, ${count('broken')} broken, ${count('skipped')} not tried`
  return [
    ...all.flatMap((each) => hostLines(each, paint)),
    paint(
      count('broken') + lost > 0 ? 'red' : 'green',
      lost === 0 ? sum : `${sum}; ${lost} of ${all.length} hosts not asked`,
    ),
  ].join('\n')
}

function hostLines({ host, verdicts, lost }: HostVerdicts, paint: Paint): string[] {
  return [
    oneLine(host),
    ...(lost === undefined
      ? []
      : [`  ${paint('red', '✗')} ${oneLine(lost.what)}`, `      mend: ${oneLine(lost.mend)}`]),
    ...verdicts.flatMap((each) => verdictLines(each, paint)),
    '',
  ]
}

function verdictLines(verdict: Verdict, paint: Paint): string[] {
  const { bot, promise, result } = verdict
  const line = oneLine(bot === undefined ? promise : `${bot} ${promise}`.replace(`${bot} Telegram`, `${bot}: Telegram`))
  if (result === 'kept') return [`  ${paint('green', '✓')} ${line}`]
  if (result === 'skipped') return [`  ${paint('dim', `– ${line}: ${oneLine(verdict.why)}`)}`]
  return [
    `  ${paint('red', '✗')} ${line}`,
    ...verdict.faults.flatMap(({ what, mend }) => [`      ${oneLine(what)}`, `      mend: ${oneLine(mend)}`]),
  ]
}
