import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'

/** What a stranger could come by. */
export interface Exposure {
  /** The TCP ports that something listens on, but for those on loopback alone. */
  readonly ports: readonly number[]
  /** Files with secrets that others than their owner may read: mode and path. */
  readonly readable: readonly { readonly mode: string; readonly path: string }[]
  /** Files of the operator's own in nginx that are about webhooks. */
  readonly own: readonly string[]
  /** The public keys of the host, as `ssh-keyscan` prints them: type and key. */
  readonly hostKeys: readonly string[]
  /** The newest backup of the whole host that the host keeps, and whether it matches its checksums. */
  readonly backup?: {
    readonly name: string
    readonly state: 'whole' | 'large' | 'damaged'
    readonly faults: readonly string[]
  }
}

const script = shellFile(new URL('exposure.sh', import.meta.url))

const kind: Kind<Exposure> = {
  name: 'exposure',
  volatile: true,
  cost: 300,
  script: () => script,
  parse: oneValue(parseExposure),
}

export const exposureReading: Reading<Exposure> = reading(kind, 'all')

export function parseExposure(output: string): Exposure {
  const all = (pattern: RegExp) => [...output.matchAll(pattern)].map(([, ...groups]) => groups)
  const [, backup] = /^backup (\S+)$/m.exec(output) ?? []
  const [, state] = /^backup-is (whole|large)$/m.exec(output) ?? []
  const faults = all(/^backup-fault (.*)$/gm).map(([fault = '']) => fault)
  return {
    ports: [
      ...new Set(
        all(/^listens (\S+):(\d+)$/gm)
          .filter(([address = '']) => !/^127\.|^\[::1\]|^\[::ffff:127\.|%lo$/.test(address))
          .map(([, port]) => Number(port)),
      ),
    ].sort((one, other) => one - other),
    readable: all(/^readable (\d+) (.*)$/gm).map(([mode = '', path = '']) => ({ mode, path })),
    own: all(/^own (.*)$/gm).map(([path = '']) => path),
    hostKeys: all(/^hostkey (\S+ \S+)$/gm).map(([key = '']) => key),
    ...(backup !== undefined && {
      backup: { name: backup, state: (state ?? 'damaged') as 'whole' | 'large' | 'damaged', faults },
    }),
  }
}
