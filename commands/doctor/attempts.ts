import { images } from '../../lib/platform/image-versions.ts'
import { postgresSocket } from '../../lib/platform/postgres-client.ts'
import { lines, type Script, sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'
import { layoutOf } from '../../roles/bot/spec/layout.ts'

/** Where a bot stands: its container, its user, and what it is to try from there. */
export interface Place {
  readonly bot: string
  readonly uid: string
  /** The container whose network is shared. */
  readonly container: string
  /** It has a database: then the socket and its own password are there as they are for it. */
  readonly database: boolean
  /** What must let it in: else nothing is proved by what does not. */
  readonly controls: readonly string[]
  /** `ADDRESS/PORT`, or `sql=HOST,ROLE,DATABASE`. */
  readonly targets: readonly string[]
}

const functions = shellFile(new URL('attempts.sh', import.meta.url))
const program = shellFile(new URL('inside.sh', import.meta.url))

/** How many bots at a time: each is a container of up to 96 MiB. */
const atOnce = 3

/**
 * Shell text: tries all targets from all places, in throwaway containers of the database server's image, which every host has.
 * They have the bot's own user and network, and no right that it has not.
 */
export function attemptsScript(places: readonly Place[]): Script {
  const each = places.map(
    (place, i) => sh`
      options=${optionsOf(place).join(' ')}
      attempt ${place.bot} ${[...place.controls, '--', ...place.targets]} &
      ${i % atOnce === atOnce - 1 ? sh`wait` : sh`:`}`,
  )
  return sh`
    usual=${images.postgres}
    program=${program.text}
    ${functions}
    ${lines(each)}
    wait`
}

/** None of them has a blank: the names of bots and the paths are ours. */
function optionsOf({ bot, uid, container, database }: Place): readonly string[] {
  const mounts = database
    ? [
        `type=bind,source=${postgresSocket},target=/run/postgresql,readonly`,
        `type=bind,source=${layoutOf(bot).secrets}/pgpass,target=/run/secrets/pgpass,readonly`,
      ]
    : []
  const environment = ['HOME=/tmp', 'LANG=C.UTF-8', 'PGPASSFILE=/run/secrets/pgpass', 'PGCONNECT_TIMEOUT=3']
  return [
    ...['--network', `container:${container}`, '--user', `${uid}:${uid}`, '--read-only', '--cap-drop', 'ALL'],
    ...['--security-opt', 'no-new-privileges', '--memory', '96m', '--memory-swap', '96m', '--pids-limit', '250'],
    ...['--log-driver', 'none', '--tmpfs', '/tmp:size=4m', '--tmpfs', '/var/lib/postgresql:size=1m'],
    ...mounts.flatMap((mount) => ['--mount', mount]),
    ...environment.flatMap((variable) => ['--env', variable]),
  ]
}

/** What let a bot in; undefined where it could not be tried. */
export type Tried = ReadonlyMap<string, { readonly open: readonly string[] } | { readonly untried: string }>

export function parseAttempts(output: string): Tried {
  const blocks = output.split(/^bot /m).slice(1)
  return new Map(
    blocks.map((block): [string, { readonly open: readonly string[] } | { readonly untried: string }] => {
      const [bot = '', ...rest] = block.split('\n')
      const open = rest.flatMap((line) => /^open (\S+)$/.exec(line)?.[1] ?? [])
      if (rest.includes('tried')) return [bot, { open }]
      return [bot, { untried: rest.filter((line) => line.trim() !== '').at(-1) ?? 'nothing was answered' }]
    }),
  )
}
