import { databaseName } from '../../../lib/platform/database-name.ts'
import { postgresSocket } from '../../../lib/platform/postgres-catalog.ts'
import { composeFile, hardened, mount } from '../../../lib/resources/compose.ts'
import { addressOf, type Colour, placesOf, userOf } from '../spec/layout.ts'
import type { Limits, Spec } from '../spec/spec.ts'

/** A bot on its host. */
export interface BotInstance {
  readonly bot: string
  readonly number: number
  /** The first two numbers of every bot's network. */
  readonly base: string
  readonly telegram: string
}

/** The compose file of one colour of a bot. Its checksum is of the version alone: limits change without a release. */
export function serviceFile(seat: BotInstance, colour: Colour, spec: Spec, { memoryMB, cpus }: Limits) {
  const { bot, number, base } = seat
  const places = placesOf(bot)
  const name = places.container(colour)
  const version = {
    image: spec.image,
    ...hardened,
    user: `${userOf(number)}:${userOf(number)}`,
    environment: environmentOf(seat, spec),
    volumes: [
      mount(places.secrets, '/run/secrets'),
      ...(spec.database ? [mount(postgresSocket, '/run/postgresql')] : []),
    ],
    tmpfs: ['/tmp', ...(spec.scratch ?? [])].map((folder) => `${folder}:size=32m,mode=1777`),
    networks: { bot: { ipv4_address: addressOf(base, number, colour) } },
    pids_limit: 100,
    stop_grace_period: '20s',
    labels: { 'botgarden.bot': bot },
    // Until it serves, a boot must not bring it back beside the one that does.
    restart: 'no',
  }
  const more = { networks: { bot: { name: places.network, external: true } } }
  const { checksum } = composeFile({ name, folder: '', service: version, more })
  const limits = { mem_limit: `${memoryMB}m`, memswap_limit: `${memoryMB}m`, cpus }
  const { text } = composeFile({ name, folder: '', service: { ...version, ...limits }, more, checksum })
  return { name, text, checksum, file: `${places.compose}/${colour}.yaml` }
}

function environmentOf({ bot, telegram }: BotInstance, spec: Spec): Record<string, string> {
  const database = {
    PGHOST: '/run/postgresql',
    PGUSER: databaseName(bot),
    PGDATABASE: databaseName(bot),
    PGPASSWORD_FILE: '/run/secrets/database-password',
    PGPASSFILE: '/run/secrets/pgpass',
  }
  return {
    BOT_NAME: bot,
    BOT_MODE: spec.mode,
    BOT_TOKEN_FILE: '/run/secrets/token',
    TELEGRAM_API_ROOT: telegram,
    PORT: String(spec.port),
    // No user of the image's has this number: what wants a home has /tmp.
    HOME: '/tmp',
    ...(spec.mode === 'webhook' && {
      WEBHOOK_SECRET_FILE: '/run/secrets/webhook-secret',
      WEBHOOK_PATH: spec.webhookPath,
    }),
    ...(spec.database && database),
    ...Object.fromEntries(spec.secrets.map((name) => [`${name}_FILE`, `/run/secrets/${name}`])),
    ...Object.fromEntries(
      Object.entries(spec.environment).map(([name, value]) => [name, value.replaceAll('$', '$$$$')]),
    ),
  }
}
