import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { psql } from '../../lib/platform/postgres-client.ts'
import { sh } from '../../lib/shell/sh.ts'

const kind: Kind<{ used: number; most: number } | undefined> = {
  name: 'connections',
  volatile: true,
  cost: 120,
  // The container is asked for five seconds at the most; where it is not there this prints nothing.
  script: () => sh`
    echo "select 'connections', count(*), current_setting('max_connections') from pg_stat_activity where backend_type = 'client backend'" |
      timeout 5 ${psql('-F', ' ')} 2>/dev/null || :`,
  parse: oneValue((output) => {
    const [, used, most] = /^connections (\d+) (\d+)$/m.exec(output) ?? []
    return most === undefined ? undefined : { used: Number(used), most: Number(most) }
  }),
}

/** The connections to the database server and the most that it allows; undefined where it does not answer. */
export const connectionsReading: Reading<{ used: number; most: number } | undefined> = reading(kind, 'postgres')
