import { oneValue } from '../../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { clustersFolder } from '../cluster.ts'

/** What a host has as the data of its server. */
export type ServerData =
  | 'none'
  | {
      /** The number of the cluster, which its copies have too. */
      readonly cluster: string
      /** It follows another server. */
      readonly follows: boolean
      /** Databases that somebody has made. */
      readonly databases: number
      /** The time when its primary was asked, as the run said that has copied it; '' where none has. */
      readonly copied: string
    }

export function serverData(major: number): Reading<ServerData> {
  return reading(kind, String(major))
}

/** Shell text: tells of the data of a major version. */
export function tellData(major: number | string): Script {
  const data = `${clustersFolder}/${major}/docker`
  return sh`
    if [ -s ${data}/PG_VERSION ]; then
      printf 'data %s %s %s %s\n' "$(od -An -tu8 -N8 ${data}/global/pg_control | tr -d ' ')" \
        "$([ -e ${data}/standby.signal ] && echo follows || echo leads)" \
        "$(find ${data}/base -mindepth 1 -maxdepth 1 -printf '%f\n' | awk '/^[0-9]+$/ && $1 >= 16384 { n++ } END { print n + 0 }')" "$(head -c 40 ${data}/botgarden.copied 2>/dev/null)"
    fi`
}

export function parseData(output: string): ServerData {
  const [, cluster = '', role, databases, copied = ''] =
    /^data (\d+) (follows|leads) (\d+) ([\w:.-]*)$/m.exec(output) ?? []
  return cluster === '' ? 'none' : { cluster, follows: role === 'follows', databases: Number(databases), copied }
}

const kind: Kind<ServerData> = {
  name: 'server-data',
  script: ([major = '']) => tellData(major),
  parse: oneValue(parseData),
}
