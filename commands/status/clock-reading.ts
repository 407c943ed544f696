import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { sh } from '../../lib/shell/sh.ts'

const kind: Kind<number> = {
  name: 'clock',
  volatile: true,
  script: () => sh`date +%s`,
  parse: oneValue((output) => Number(output.trim()) * 1000),
}

/** The clock of the host, in milliseconds since 1970. */
export const clockReading: Reading<number> = reading(kind, 'now')
