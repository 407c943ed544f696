/** What a variable is to a bot, by its name and the value that an example shows. */
export type Meaning =
  | 'token'
  | `database.${'url' | 'host' | 'port' | 'user' | 'password' | 'name' | 'scheme'}`
  | `cache.${'url' | 'host' | 'port' | 'user' | 'password' | 'number'}`
  | `webhook.${'url' | 'base' | 'path' | 'secret' | 'switch'}`
  | `listen.${'host' | 'port'}`
  | 'sqlite'
  /** A server that botgarden does not have: its address is the operator's to give. */
  | 'elsewhere'
  /** A number of the operator's own: an admin, a chat. An example's is a stranger's. */
  | 'personal'
  | 'secret'
  /** For another service of the compose file. */
  | 'unused'
  | 'plain'

const tokens =
  /^((TELEGRAM|TG|TELE)_?)?(BOT_?)?(API_?)?TOKEN$|^(TELEGRAM|TG|BOT)(_BOT)?_?API_?KEY$|_(BOT_TOKEN|TELEGRAM_TOKEN)$/

export function isTokenName(name: string): boolean {
  return tokens.test(flat(name))
}

/** Parts of a name that stand for the same thing everywhere. `BOT__TOKEN` is how nested settings are written. */
export function flat(name: string): string {
  return name.toUpperCase().replaceAll(/__+/g, '_')
}

/** Whether a variable is for another service of the compose file, by its name. */
export function isUnused(name: string): boolean {
  return unused.test(flat(name))
}

const unused =
  /^(COMPOSE|GRAFANA|PROMETHEUS|PGADMIN|NGROK|TRAEFIK|CADDY|NGINX|DOCKER|MONGO_EXPRESS|ME_CONFIG|LOKI|OFELIA|LETSENCRYPT)_|^VIRTUAL_(HOST|PATH|PORT|PROTO|DEST)$|_EXTERNAL_PORT$|^PGDATA$|_INITDB_/

/** By name alone, but for what belongs to a server: see `serverPart`. */
export function nameMeans(name: string, value: string | undefined): Meaning {
  const flatName = flat(name)
  if (isTokenName(name)) return 'token'
  return (
    webhookMeans(flatName, value) ??
    (isPersonal(flatName) || isPlaceholder(value) ? 'personal' : isSecret(flatName, value) ? 'secret' : 'plain')
  )
}

const mode = /^((BOT|RUN|LAUNCH|START|STARTUP|UPDATES?|TG|TELEGRAM|BOT_RUN|BOT_UPDATES?)_)?(MODE|METHOD|STRATEGY)$/
const hook = /^(?:(?:BOT|TELEGRAM|TG|APP|MAIN|TELEGRAM_BOT|TG_BOT)_)?WEB_?HOOKS?(?:_(.+))?$/
const listener = /^(WEBAPP|WEB_APP|SERVER|WEB_SERVER|WEBSERVER|WEB|HTTP|APP|LISTEN|API|BOT|UVICORN)_/

function webhookMeans(name: string, value = ''): Meaning | undefined {
  const isSwitch = /^(true|false|yes|no|on|off|0|1)$/i.test(value)
  if (/^(USE|ENABLE|IS|WITH|BOT_USE)_(WEB_?HOOKS?|POLLING)$|^USE_?WEBHOOK/.test(name)) return 'webhook.switch'
  if (mode.test(name) && /webhook|polling|hook/i.test(value)) return 'webhook.switch'
  if (/^(TELEGRAM_|BOT_)?SECRET_TOKEN$/.test(name)) return 'webhook.secret'
  const [isHook, rest = ''] = hook.exec(name) ?? []
  if (isHook !== undefined) {
    if (isSwitch && /^(|ENABLED?|USE|ON|MODE|ACTIVE)$/.test(rest)) return 'webhook.switch'
    if (/^(|URL|URI|ADDRESS|FULL_URL|LINK)$/.test(rest)) return 'webhook.url'
    if (/^(PATH|ROUTE|ENDPOINT|URL_PATH|URI_PATH)$/.test(rest)) return 'webhook.path'
    if (/^(SECRET|TOKEN|SECRET_TOKEN|SECRET_KEY|API_SECRET)$/.test(rest)) return 'webhook.secret'
    if (/^((SERVER|LISTEN|LISTENING|BIND|LOCAL|APP|WEBAPP|INTERNAL)_)?PORT$/.test(rest)) return 'listen.port'
    if (/^(SERVER_HOST|LISTEN|LISTENING_HOST|LISTEN_HOST|BIND_HOST|BIND|WEBAPP_HOST|LISTEN_ADDRESS)$/.test(rest))
      return 'listen.host'
    if (/^(HOST|DOMAIN|BASE|BASE_URL|HOST_URL|SERVER|HOSTNAME|URL_BASE|DOMAIN_NAME)$/.test(rest))
      return value !== '' && isListening(value) ? 'listen.host' : 'webhook.base'
  }
  if (name === 'PORT' || (listener.test(name) && /_PORT$/.test(name))) return 'listen.port'
  if (name === 'HOST' || (listener.test(name) && /_(HOST|ADDRESS)$/.test(name)))
    return isListening(value) ? 'listen.host' : undefined
  if (/^((BASE|PUBLIC|EXTERNAL|HOST|SERVER|APP|DOMAIN)_(URL|URI|DOMAIN|HOST)|DOMAIN|HOST)$/.test(name))
    return 'webhook.base'
  return undefined
}

/** Where a program listens, not where it is reached. */
export function isListening(value: string): boolean {
  return /^(0\.0\.0\.0|localhost|127\.0\.0\.1|::|\[::\])?$/.test(value)
}

function isPersonal(name: string): boolean {
  return /(^|_)((SUPER_?)?ADMINS?|OWNERS?|SUDO(ERS)?|DEVELOPERS?|SUPERUSERS?|STAFF|STAFFCHAT|CHATS?|CHANNELS?|GROUPS?|TOPICS?|THREAD|OWNER_MSG_GROUP)(_?(USER|CHAT|TELEGRAM|TG))?((_?IDS?)?(_LIST)?)$/.test(
    name,
  )
}

/** What an example writes where the value must be somebody's own. */
function isPlaceholder(value = ''): boolean {
  return /^(<.*>|your[-_ ].*|x{3,}|change[-_ ]?me|replace[-_ ]?me|\.\.\.|todo)$/i.test(value)
}

const secretWord =
  /(^|_)(SECRET|PASSWORD|PASSWD|PASS|PWD|KEY|API_?KEY|TOKEN|SALT|HASH|DSN|JWT|CREDENTIALS|MNEMONIC|SEED(_PHRASE)?)(_(KEY|TOKEN|ID|JSON|BASE64|VALUE))?$/

function isSecret(name: string, value = ''): boolean {
  // USE_KEY=true is a setting.
  if (/^(true|false|yes|no|on|off)$/i.test(value)) return false
  return secretWord.test(name) || looksSecret(value)
}

/** A value that no example should have: a key that somebody forgot there, or a password in a URL. */
export function looksSecret(value: string): boolean {
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/@\s]*:[^/@\s]+@/i.test(value) || /-----BEGIN/.test(value)) return true
  if (/[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}/i.test(value)) return true
  // Words and dates have their dashes; a key is one long piece of letters and digits.
  return (value.match(/[A-Za-z0-9+=]{20,}/g) ?? []).some((piece) => /\d/.test(piece) && /[a-z]/i.test(piece))
}
