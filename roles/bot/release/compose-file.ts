import { postgresSocket } from '../../../lib/platform/postgres-client.ts'
import { composeFile, hardened, mount } from '../../../lib/resources/compose.ts'
import { dataFolder } from '../data/layout.ts'
import { databaseAddress } from '../spec/database.ts'
import type { BotInstance } from '../spec/instance.ts'
import { addressOf, type Colour, databaseAddressOf, layoutOf, uidOf } from '../spec/layout.ts'
import type { Limits, Spec } from '../spec/spec.ts'
import { webhookPathOf } from '../spec/webhook-path.ts'
import { caSettings } from './ca-file.ts'
import { filledVariables, variablesFile } from './variables.ts'

/** The compose file of one colour of a bot. Its checksum leaves out the limits, which change without a release. */
export function serviceFile(instance: BotInstance, colour: Colour, spec: Spec, { memoryMB, cpus }: Limits) {
  const layout = layoutOf(instance.bot)
  const name = layout.container(colour)
  const { more, ...version } = containerOf(instance, colour, spec)
  // By what they are written as: no checksum is made of a secret here.
  const startedWith = filledVariables(instance, spec).secret.map(
    ([variable]) => `${variable}=${spec.references?.[variable]}`,
  )
  const { checksum } = composeFile({ name, folder: '', service: version, more, startedWith })
  const limits = { mem_limit: `${memoryMB}m`, memswap_limit: `${memoryMB}m`, cpus }
  const { text } = composeFile({ name, folder: '', service: { ...version, ...limits }, more, checksum })
  return { name, text, checksum, file: `${layout.compose}/${colour}.yaml` }
}

/** A container of a version as compose(5) has it, without limits; `more` are further keys of the file. */
export function containerOf(instance: BotInstance, colour: Colour, spec: Spec) {
  const { bot, number, base } = instance
  const layout = layoutOf(bot)
  const { plain, secret } = filledVariables(instance, spec)
  const ca = caSettings(instance.caFile)
  return {
    image: spec.image,
    ...hardened,
    user: `${uidOf(number)}:${uidOf(number)}`,
    ...(spec.init && { init: true }),
    ...(spec.command && { command: spec.command.map(asGiven) }),
    environment: { ...ca.environment, ...environmentOf(instance, spec), ...mapValues(plain, asGiven) },
    ...(secret.length > 0 && { env_file: [variablesFile(bot, colour)] }),
    volumes: [
      mount(layout.secrets, '/run/secrets'),
      ...(spec.database ? [mount(postgresSocket, '/run/postgresql')] : []),
      ...(spec.data ?? []).map((path) => mount(dataFolder(bot, path), path, { writable: true })),
      ...ca.volumes,
    ],
    tmpfs: ['/tmp', ...(spec.scratch ?? [])].map((folder) => `${folder}:size=32m,mode=1777`),
    networks: {
      bot: { ipv4_address: addressOf(base, number, colour) },
      ...(spec.tcp && { database: { ipv4_address: databaseAddressOf(base, number, colour) } }),
    },
    pids_limit: 100,
    stop_grace_period: '20s',
    labels: { 'botgarden.bot': bot },
    // Until it serves, a boot must not start it beside the serving container.
    restart: 'no',
    more: {
      networks: {
        bot: { name: layout.network, external: true },
        ...(spec.tcp && { database: { name: layout.databaseNetwork, external: true } }),
      },
    },
  }
}

function environmentOf({ bot, telegram }: BotInstance, spec: Spec): Record<string, string> {
  const { host, user, name, passwordFile } = databaseAddress(bot, spec)
  const database = {
    PGHOST: host,
    PGUSER: user,
    PGDATABASE: name,
    PGPASSWORD_FILE: passwordFile,
    PGPASSFILE: '/run/secrets/pgpass',
  }
  return {
    BOT_NAME: bot,
    BOT_MODE: spec.mode,
    BOT_TOKEN_FILE: '/run/secrets/token',
    TELEGRAM_API_ROOT: telegram,
    PORT: String(spec.port),
    // The image has no user with this uid, so no home either.
    HOME: '/tmp',
    ...(spec.mode === 'webhook' && {
      WEBHOOK_SECRET_FILE: '/run/secrets/webhook-secret',
      WEBHOOK_PATH: webhookPathOf(spec.webhookPath).path,
    }),
    ...(spec.database && database),
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
