import { postgresSocket } from '../../../lib/platform/postgres-client.ts'
import { hardened, mount } from '../../../lib/resources/compose.ts'
import { dataFolder } from '../data/layout.ts'
import { databaseAddress } from '../spec/database.ts'
import type { BotInstance } from '../spec/instance.ts'
import { type Colour, layoutOf, uidOf } from '../spec/layout.ts'
import type { ContainerLimits } from '../spec/limits.ts'
import type { Spec } from '../spec/spec.ts'
import { webhookPathOf } from '../spec/webhook-path.ts'
import { caSettings } from './ca-file.ts'
import { filledVariables, variablesFile } from './variables.ts'

/** The label of a container with the name of its process; that of the bot itself has none. */
const processLabel = 'botgarden.process'

/** What the containers of a version differ in. */
interface Own {
  readonly image: string
  readonly command: readonly string[] | undefined
  readonly port: number
  /** Left out, like that of the database: one that the engine chooses. */
  readonly address?: string
  readonly databaseAddress?: string
  /** Left out: it is the container of the bot itself. */
  readonly process?: string
}

/** A container of a version, as compose(5) has it but for its limits; the networks; and what it reads at its start. */
export function containerOf(instance: BotInstance, colour: Colour, spec: Spec, own: Own) {
  const { bot, number } = instance
  const layout = layoutOf(bot)
  const { plain, secret } = filledVariables(instance, colour, spec)
  const ca = caSettings(instance.caFile)
  const version = {
    image: own.image,
    ...hardened,
    user: `${uidOf(number)}:${uidOf(number)}`,
    ...(spec.init && { init: true }),
    ...(own.command && { command: own.command.map(asGiven) }),
    environment: {
      ...ca.environment,
      ...environmentOf(instance, spec, own.port),
      ...mapValues(plain, asGiven),
    },
    ...(secret.length > 0 && { env_file: [variablesFile(bot, colour)] }),
    volumes: [
      mount(layout.secrets, '/run/secrets'),
      ...(spec.database ? [mount(postgresSocket, '/run/postgresql')] : []),
      ...(spec.data ?? []).map((path) => mount(dataFolder(bot, path), path, { writable: true })),
      ...ca.volumes,
    ],
    tmpfs: ['/tmp', ...(spec.scratch ?? [])].map((folder) => `${folder}:size=32m,mode=1777`),
    networks: {
      bot: own.address === undefined ? {} : { ipv4_address: own.address },
      ...(spec.tcp && { database: own.databaseAddress === undefined ? {} : { ipv4_address: own.databaseAddress } }),
    },
    pids_limit: 100,
    stop_grace_period: '20s',
    labels: { 'botgarden.bot': bot, ...(own.process !== undefined && { [processLabel]: own.process }) },
    // Until it serves, a boot must not start it beside the serving container.
    restart: 'no',
  }
  const more = {
    networks: {
      bot: { name: layout.network, external: true },
      ...(spec.tcp && { database: { name: layout.databaseNetwork, external: true } }),
    },
  }
  // By what they are written as: no checksum is made of a secret here.
  const startedWith = secret.map(([variable]) => `${variable}=${spec.references?.[variable]}`)
  return { version, more, startedWith }
}

/** The limits of a container, as compose(5) has them. */
export function limitKeys({ memoryMB, cpus }: ContainerLimits) {
  return { mem_limit: `${memoryMB}m`, memswap_limit: `${memoryMB}m`, cpus }
}

function environmentOf({ bot, telegram, caFile }: BotInstance, spec: Spec, port: number): Record<string, string> {
  const { host, port: databasePort, user, name, passwordFile, passFile } = databaseAddress(bot, spec)
  const database = {
    PGHOST: host,
    ...(spec.external && { PGPORT: String(databasePort) }),
    PGUSER: user,
    PGDATABASE: name,
    PGPASSWORD_FILE: passwordFile,
    PGPASSFILE: passFile,
    // libpq trusts nobody by itself; `system` is what the image trusts.
    ...(spec.external && { PGSSLMODE: spec.external.sslmode }),
    ...(spec.external?.sslmode.startsWith('verify-') && { PGSSLROOTCERT: caSettings(caFile).file ?? 'system' }),
  }
  return {
    BOT_NAME: bot,
    BOT_MODE: spec.mode,
    ...(spec.mode !== 'none' && { BOT_TOKEN_FILE: '/run/secrets/token', TELEGRAM_API_ROOT: telegram }),
    PORT: String(port),
    // The image has no user with this uid, so no home either.
    HOME: '/tmp',
    ...(spec.mode === 'webhook' && {
      WEBHOOK_SECRET_FILE: '/run/secrets/webhook-secret',
      WEBHOOK_PATH: webhookPathOf(spec.webhookPath).path,
    }),
    ...((spec.database || spec.external) && database),
    ...Object.fromEntries(spec.secrets.map((name) => [`${name}_FILE`, `/run/secrets/${name}`])),
    ...mapValues(spec.environment, asGiven),
  }
}

/** Compose takes a dollar for the beginning of a variable of its own. */
function asGiven(value: string): string {
  return value.replaceAll('$', '$$$$')
}

function mapValues(
  values: Readonly<Record<string, string>>,
  change: (value: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]))
}
