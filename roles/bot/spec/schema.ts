import * as v from 'valibot'
import { secretSource, variable } from '../../../lib/model/secret-source.ts'
import { jobsKeys } from './jobs.ts'
import { databaseKeys, placedDatabaseKeys } from './keys/database.ts'
import { domain } from './keys/domains.ts'
import { processKeys } from './keys/processes.ts'
import { publicKeys } from './keys/public.ts'
import { buildKeys, cpus, path, plainValue, port, size, sourcePath, words } from './keys/values.ts'
import { referenceFault } from './references.ts'

const folder = v.pipe(
  v.string(),
  v.regex(/^(\/(?!\.\.?(\/|$))[\w.~-]+)+$/),
  // Every bot has mounts there already, or Docker mounts them itself.
  v.regex(/^\/(?!(proc|sys|dev|run\/secrets|run\/postgresql)(\/|$)|(tmp|run)$)/),
  v.description('the absolute path of a folder like /data, not /tmp, /run, /dev, /proc or /sys'),
)
const cacheServer = v.picklist(['valkey', 'redis'])
/** Text, a number or a boolean, with references: `${database.url}`. */
const environmentValue = v.pipe(
  plainValue,
  v.rawCheck(({ dataset, addIssue }) => {
    const message = dataset.typed && typeof dataset.value === 'string' ? referenceFault(dataset.value) : undefined
    if (message !== undefined) addIssue({ message })
  }),
)

/** Keys that other tools have: what they are called here. */
const elsewhere = (message: string) => v.optional(v.never(message))
const keysElsewhere = {
  volumes: elsewhere('folders that last are listed under "data:", and those in memory under "scratch:"'),
  ports: elsewhere('the one port that the bot listens on is "port:"; nothing is published'),
  env: elsewhere('variables are set under "environment:"'),
  env_file: elsewhere('write the variables under "environment:", and secrets into the .env beside the source'),
  build: elsewhere('it is always built from its folder: see "dockerfile:", "target:" and "args:"'),
  entrypoint: elsewhere('what the container runs is "command:"'),
  cron: elsewhere('what runs at times is listed under "jobs:"'),
  healthcheck: elsewhere('the path that answers 2xx when the bot is ready is "health:"'),
  depends_on: elsewhere('the database is there before a bot starts'),
  restart: elsewhere('a bot is always started again'),
  mem_limit: elsewhere('the memory limit is "memory:"'),
  networks: elsewhere('each bot has a network of its own'),
  redis: elsewhere('a server that speaks Redis is "cache: valkey"'),
  postgres: elsewhere('it has a database unless "database: false" is set'),
}

/** The keys of bot.yaml, which describe a bot. The inventory may override each. */
const manifestKeys = {
  /** The port that it listens on, in its container. */
  port: v.optional(port),
  /** The path that answers 2xx when the bot is ready. Left out: it is ready when its container runs. */
  health: v.optional(path),
  /** The command that migrates the database, in a container of its own, before the new version starts. */
  migrate: v.optional(words),
  /** The folder whose files are the migrations: a release that changes them has the database dumped first. */
  migrations: v.optional(v.pipe(v.string(), v.regex(/^[\w.-]+(\/[\w.-]+)*$/), v.description('a folder in the source'))),
  /** `none`: no bot, but a site or a service. */
  mode: v.optional(v.picklist(['webhook', 'polling', 'none'])),
  /** Where it takes updates. `/hook/*`: it appends something of its own to the URL that it tells Telegram. */
  webhookPath: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\/([\w.~-][\w./~-]*)?(\/\*)?$|^\/\*$/),
      v.description('a path like /webhook, or /webhook/* for a bot that appends something to its URL'),
    ),
  ),
  allowedUpdates: v.optional(v.array(v.pipe(v.string(), v.regex(/^[a-z_]+$/)))),
  /** The number of simultaneous connections that Telegram may open to it. */
  maxConnections: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100))),
  /** false: the bot has no database. A mapping: what it needs of it. */
  database: v.optional(v.union([v.boolean(), databaseKeys])),
  memory: v.optional(size),
  cpus: v.optional(cpus),
  /** Folders that it may write to besides /tmp. */
  scratch: v.optional(v.array(folder)),
  /** Folders that last. `shared`: two versions may write to them at the same time, so a release stops nothing. */
  data: v.optional(
    v.union([
      v.strictObject({ paths: v.pipe(v.array(folder), v.minLength(1)), shared: v.optional(v.boolean()) }),
      v.array(folder),
    ]),
  ),
  /** A server of its own that speaks Redis, as `redis:6379`. `persist`: what it holds outlives a restart. */
  cache: v.optional(
    v.union([
      cacheServer,
      v.strictObject({
        server: v.optional(cacheServer, 'valkey'),
        memory: v.optional(size),
        persist: v.optional(v.boolean()),
      }),
    ]),
  ),
  environment: v.optional(v.record(variable, environmentValue)),
  /** What the container runs instead of the command of its image. */
  command: v.optional(words),
  /** Who calls setWebhook: `bot` for a bot that does so itself when it starts, as many do. */
  webhook: v.optional(v.picklist(['botgarden', 'bot'])),
  /** true: a first process of its own (tini) ends with the bot's, and waits for the children that the bot does not wait for. */
  init: v.optional(v.boolean()),
  ...publicKeys,
  /** What it does at times, by name: each a command in a container of its own. */
  jobs: v.optional(jobsKeys),
  /** Further containers of the same version, by name: a worker, an api. */
  processes: v.optional(processKeys),
  /** true: any of several replicas may take any update, since all that it remembers is in the database. `replicas` needs it. */
  stateless: v.optional(v.boolean()),
}

const ofThePlace =
  'a domain belongs to the place and not to the app: "domains:" goes into the inventory, under "bots:" and the name of the bot'

export const botManifestSchema = v.strictObject({
  ...keysElsewhere,
  hooks: elsewhere('commands on the machine of the operator are his: "hooks:" goes into the inventory'),
  domains: elsewhere(ofThePlace),
  domain: elsewhere(ofThePlace),
  replicas: elsewhere('how often it runs belongs to the place: "replicas:" goes into the inventory, beside "hosts:"'),
  hosts: elsewhere('where it runs belongs to the place: "hosts:" goes into the inventory, beside "replicas:"'),
  ...manifestKeys,
  ...buildKeys,
  /**
   * Names of secrets whose source the inventory must set: each a file /run/secrets/NAME, whose path is in NAME_FILE. `env`: the
   * token, the URL of the database and all secrets of the inventory are variables, by the names that most bots know.
   */
  secrets: v.optional(v.union([v.array(variable), v.literal('env')])),
})
export type BotManifest = v.InferOutput<typeof botManifestSchema>

const imageMessage = 'an image with a version or a digest (NAME:1.2.3 or NAME@sha256:…), not "latest"'

/** A repository that the source is fetched from, on the operator's machine. */
const gitSource = v.strictObject({
  /** `https://…`, `ssh://…` or `git@HOST:PATH`, without a password. */
  git: v.pipe(
    v.string(),
    v.nonEmpty(),
    v.description('the address of a repository: https://…, ssh://… or git@HOST:PATH'),
  ),
  /** A branch, a tag or a whole commit. Left out: the branch that the repository stands at. */
  ref: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^(?!.*\.\.)\w[\w./+@-]*$/),
      v.description('a branch, a tag, or a commit with all of its digits'),
    ),
  ),
  /** The folder with the Dockerfile in the repository. */
  path: v.optional(sourcePath),
})
export type GitSource = v.InferOutput<typeof gitSource>

/** Commands on the operator's machine. */
const hooks = v.strictObject({
  /** Before a release; where it fails, nothing is touched. */
  before: v.optional(v.pipe(v.string(), v.nonEmpty())),
  /** After a release; where it fails, that is said. */
  after: v.optional(v.pipe(v.string(), v.nonEmpty())),
})

/** A bot in the inventory. */
export const botSettings = v.strictObject({
  ...keysElsewhere,
  domain: elsewhere('a bot may have several: "domains: [shop.example.org]"'),
  ...manifestKeys,
  /** false: none. A mapping: what it needs of it, or `external`: a server that somebody else keeps. */
  database: v.optional(v.union([v.boolean(), placedDatabaseKeys])),
  ...buildKeys,
  /** The folder with its Dockerfile, from the folder of the inventory or this checkout; left out: bots/NAME. Or a repository, from which it is fetched. */
  source: v.optional(v.union([v.pipe(v.string(), v.nonEmpty()), gitSource])),
  /** A published image, instead of a source. */
  image: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[\w.-]+(:\d+)?(\/[\w.-]+)*(:[\w.-]+|@sha256:[0-9a-f]{64})$/, imageMessage),
      // Its meaning changes, and an image that is on the host is never pulled again.
      v.check((name) => !name.endsWith(':latest'), imageMessage),
      v.description('an image with its version'),
    ),
  ),
  hooks: v.optional(hooks),
  /** Left out: the variable NAME_TOKEN, or BOT_TOKEN in the .env of its source; without either the host keeps what it has. */
  token: v.optional(secretSource),
  secrets: v.optional(v.record(variable, secretSource)),
  /** How many of it run, on `hosts`, by Docker Swarm. `host` stays where its updates arrive and its database is. */
  replicas: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(20), v.description('a number of replicas, 1 to 20')),
  ),
  /** The hosts that run its replicas, all in the mesh of `host`. */
  hosts: v.optional(v.pipe(v.array(v.string()), v.minLength(1), v.description('a list of hosts'))),
  /** Names of its own, each with a certificate. Their A records lead to its host. */
  domains: v.optional(v.array(domain)),
})
export type BotSettings = v.InferOutput<typeof botSettings>

/** The Bot API of Telegram itself. */
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
  /** A file of the host with the authorities that bots trust, instead of the public ones: a company's own among them. */
  caFile: v.optional(
    v.pipe(v.string(), v.regex(/^(\/[\w.-]+)+$/), v.description('the absolute path of a file on the host')),
  ),
  /** Seconds that a new version must stay up before it serves. */
  settle: v.optional(seconds('a number of seconds'), 20),
  /** Seconds that the old version has to finish its requests. */
  drain: v.optional(seconds('a number of seconds'), 30),
  /** Logins for private registries, by the registry's host name. A host keeps a login that it was given once. */
  registries: v.optional(
    v.record(v.string(), v.strictObject({ username: v.pipe(v.string(), v.nonEmpty()), password: secretSource })),
    {},
  ),
  /** Number of images of a bot to keep for a rollback, besides the serving one. */
  keep: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(50)), 3),
})
export type BotVars = v.InferOutput<typeof vars>
