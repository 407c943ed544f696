import * as v from 'valibot'

const path = v.pipe(v.string(), v.regex(/^\/[\w./~-]*$/), v.description('a path like /healthz'))
const variable = v.pipe(v.string(), v.regex(/^[A-Z_][A-Z0-9_]*$/, 'a name of a variable, in capitals'))
const size = v.pipe(v.string(), v.regex(/^[1-9]\d*[mg]$/), v.description('a size like 160m or 1g'))
const folder = v.pipe(
  v.string(),
  v.regex(/^(\/(?!\.\.?(\/|$))[\w.~-]+)+$/),
  // What every bot has there already, and what the engine mounts by itself.
  v.regex(/^\/(?!(proc|sys|dev|run\/secrets|run\/postgresql)(\/|$)|(tmp|run)$)/),
  v.description('the whole path of a folder like /data, none of /tmp, /run, /dev, /proc and /sys'),
)
const words = v.pipe(v.array(v.pipe(v.string(), v.nonEmpty())), v.minLength(1))

/** Where a secret of the operator's comes from: a variable of his environment, or what a command prints. */
const secretSource = v.union([
  v.strictObject({ env: variable }),
  v.strictObject({ command: v.pipe(v.string(), v.nonEmpty()) }),
])
export type SecretSource = v.InferOutput<typeof secretSource>

/** What whoever runs a bot must know about it: its bot.yaml, each key of which the inventory may say otherwise. */
const manifest = {
  /** Where it listens, in its container. */
  port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535), v.description('a port'))),
  /** Answers 2xx when the bot is ready; left out: that it runs has to do. */
  health: v.optional(path),
  /** Brings the database up to date, in a container of its own, before the new version starts. */
  migrate: v.optional(words),
  /** The folder whose files are the migrations: a release that changes them has the database dumped first. */
  migrations: v.optional(v.pipe(v.string(), v.regex(/^[\w.-]+(\/[\w.-]+)*$/), v.description('a folder in the source'))),
  mode: v.optional(v.picklist(['webhook', 'polling'])),
  webhookPath: v.optional(path),
  allowedUpdates: v.optional(v.array(v.pipe(v.string(), v.regex(/^[a-z_]+$/)))),
  /** Of Telegram's connections to it at once. */
  maxConnections: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100))),
  /** false: it needs none. */
  database: v.optional(v.boolean()),
  memory: v.optional(size),
  cpus: v.optional(v.pipe(v.number(), v.minValue(0.05))),
  /** Folders that it may write to besides /tmp. */
  scratch: v.optional(v.array(folder)),
  environment: v.optional(v.record(variable, v.union([v.string(), v.number(), v.boolean()]))),
}

export const manifestSchema = v.strictObject({
  ...manifest,
  /** Names of secrets that the inventory must say the source of: each a file /run/secrets/NAME, named by NAME_FILE. */
  secrets: v.optional(v.array(variable)),
})
export type Manifest = v.InferOutput<typeof manifestSchema>

const imageMessage = 'an image that names a version or a digest (NAME:1.2.3 or NAME@sha256:…), not "latest"'

/** A bot in the inventory. */
export const botSettings = v.strictObject({
  ...manifest,
  /** The folder with its Dockerfile, from this checkout; left out: bots/NAME. */
  source: v.optional(v.pipe(v.string(), v.nonEmpty())),
  /** An image that somebody else has built, instead. */
  image: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[\w.-]+(:\d+)?(\/[\w.-]+)*(:[\w.-]+|@sha256:[0-9a-f]{64})$/, imageMessage),
      // What it means changes, and what is there is never pulled again.
      v.check((name) => !name.endsWith(':latest'), imageMessage),
      v.description('an image with its version'),
    ),
  ),
  /** Left out: the variable NAME_TOKEN, or BOT_TOKEN in the .env of its source; without either the host keeps what it has. */
  token: v.optional(secretSource),
  secrets: v.optional(v.record(variable, secretSource)),
})
export type BotSettings = v.InferOutput<typeof botSettings>

/** Where the Bot API is, unless the inventory says otherwise. */
export const realTelegram = 'https://api.telegram.org'

const seconds = (description: string) =>
  v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(600), v.description(description))

export const vars = v.strictObject({
  /** The first two numbers of the bots' networks. */
  network: v.optional(
    v.pipe(v.string(), v.regex(/^10\.(\d{1,3})$/), v.description('the first two numbers of a network, as 10.210')),
    '10.210',
  ),
  /** The Bot API. */
  telegram: v.optional(
    v.pipe(v.string(), v.regex(/^https?:\/\/[^\s/]+$/), v.description('a URL like https://HOST')),
    realTelegram,
  ),
  /** How long a new version must stay up before it serves. */
  settle: v.optional(seconds('a number of seconds'), 20),
  /** How long the version before it may take to finish what it has begun. */
  drain: v.optional(seconds('a number of seconds'), 30),
  /** Where images come from that are not public, by the registry's host; the host keeps what it was given once. */
  registries: v.optional(
    v.record(v.string(), v.strictObject({ username: v.pipe(v.string(), v.nonEmpty()), password: secretSource })),
    {},
  ),
  /** How many images of a bot's are kept beside the one that serves, to go back to. */
  keep: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(50)), 3),
})
export type BotVars = v.InferOutput<typeof vars>
