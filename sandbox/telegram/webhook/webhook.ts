import { X509Certificate } from 'node:crypto'
import { type Arguments, integer, isTrue } from '../bot-api/arguments.ts'
import { type Answer, answer, type Call } from '../bot-api/call.ts'
import { endLongPoll } from '../bot-api/poll.ts'
import { badRequest, conflict, tooMany } from '../errors.ts'
import type { Bot, Webhook } from '../state/state.ts'
import { dropExpired, parseAllowed } from '../state/updates.ts'
import { changed, runtimeOf, scaled, type World } from '../state/world.ts'
import { badWebhook, checkAddress, resolve } from './address.ts'
import { startDelivery } from './delivery.ts'

export async function setWebhook(call: Call): Promise<Answer> {
  const { world, bot, args } = call
  const url = args.get('url') ?? ''
  if (url === '') return deleteWebhook(call)
  const runtime = runtimeOf(world, bot)
  if (Date.now() < runtime.nextSetWebhookAt) throw tooMany(1)
  runtime.nextSetWebhookAt = Date.now() + scaled(world, 1)
  const allowed = parseAllowed(args.get('allowed_updates'))
  if (isSame(bot.webhook, call)) {
    if (allowed !== undefined) bot.allowedUpdates = allowed
    changed(world, bot)
    return answer(true, 'Webhook is already set')
  }
  endLongPoll(world, bot, conflict('terminated by setWebhook request'))
  // The old one is gone before the new one is looked at: a refused setWebhook leaves the bot without any.
  removeWebhook(world, bot)
  if (isTrue(args.get('drop_pending_updates'))) bot.pending = []
  bot.webhook = await parseWebhook(world, url, call)
  if (allowed !== undefined) bot.allowedUpdates = allowed
  startWorker(world, bot, { isNew: true })
  changed(world, bot)
  return answer(true, 'Webhook was set')
}

export async function deleteWebhook({ world, bot, args }: Call): Promise<Answer> {
  const had = bot.webhook !== null
  removeWebhook(world, bot)
  if (isTrue(args.get('drop_pending_updates'))) bot.pending = []
  changed(world, bot)
  return answer(true, had ? 'Webhook was deleted' : 'Webhook is already deleted')
}

export async function getWebhookInfo({ bot }: Call): Promise<Answer> {
  return answer(webhookInfo(bot))
}

export function webhookInfo(bot: Bot): Record<string, unknown> {
  dropExpired(bot)
  const { webhook, allowedUpdates } = bot
  return {
    url: webhook?.url ?? '',
    has_custom_certificate: (webhook?.certificate ?? null) !== null,
    pending_update_count: bot.pending.length,
    ...(webhook?.lastError && {
      last_error_date: webhook.lastError.date,
      last_error_message: webhook.lastError.message,
    }),
    ...(webhook && { max_connections: webhook.maxConnections, ip_address: webhook.ip }),
    ...(allowedUpdates && { allowed_updates: allowedUpdates }),
  }
}

export function removeWebhook(world: World, bot: Bot): void {
  stopWorker(world, bot)
  bot.webhook = null
}

export function stopWorker(world: World, bot: Bot): void {
  const runtime = runtimeOf(world, bot)
  runtime.worker?.stop()
  runtime.worker = undefined
}

/** Begins to deliver, if there is a webhook. */
export function startWorker(world: World, bot: Bot, { isNew = false } = {}): void {
  if (bot.webhook !== null) runtimeOf(world, bot).worker = startDelivery(world, bot, bot.webhook, { isNew })
}

/** Nothing to do. With an uploaded certificate it never is: the same name may be another file now. */
function isSame(webhook: Webhook | null, { args, files }: Arguments): boolean {
  const ip = args.get('ip_address') ?? ''
  if (webhook === null) return false
  return (
    webhook.url === args.get('url') &&
    webhook.certificate === null &&
    uploaded({ args, files }) === undefined &&
    webhook.maxConnections === maxConnections(args) &&
    webhook.secret === (args.get('secret_token') ?? '') &&
    webhook.ipFixed === (ip !== '') &&
    (ip === '' || ip === webhook.ip) &&
    !isTrue(args.get('drop_pending_updates'))
  )
}

/** Checks in Telegram's order. Does not wait for the connection: a server that does not answer is reported by getWebhookInfo. */
async function parseWebhook({ options }: World, url: string, { args, files }: Arguments): Promise<Webhook> {
  const { protocol, hostname, port } = parseUrl(url)
  const secret = args.get('secret_token') ?? ''
  if (secret.length > 256) throw badRequest('secret token is too long')
  if (!/^[\w-]*$/.test(secret)) throw badRequest('secret token contains unallowed characters')
  const certificate = uploaded({ args, files }) ?? null
  if (certificate !== null) checkCertificate(certificate)
  if (protocol !== 'https:') throw badWebhook('An HTTPS URL must be provided for webhook')
  if (!['', '443', '80', '88', '8443'].includes(port))
    throw badWebhook('Webhook can be set up only on ports 80, 88, 443 or 8443')
  const given = args.get('ip_address') ?? ''
  const ip = given === '' ? await resolve(hostname) : given
  checkAddress(ip, options.allow)
  const ipFixed = given !== ''
  return {
    ...{ url, secret, certificate, ip, ipFixed },
    ...{ maxConnections: maxConnections(args), lastError: null, goneSince: null },
  }
}

/** Without a scheme it is https. */
export function parseUrl(text: string): URL {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`)
  if (url === null || !/^https?:$/.test(url.protocol)) throw badRequest('invalid webhook URL specified')
  return url
}

function maxConnections(args: ReadonlyMap<string, string>): number {
  return integer(args, 'max_connections', 40, [1, 100])
}

/** A certificate given as mere text is no upload, and overlooked: many a caller has been puzzled by that. */
function uploaded({ args, files }: Arguments): string | undefined {
  const attached = /^attach:\/\/(.+)/.exec(args.get('certificate') ?? '')?.[1]
  const upload = files.get('certificate') ?? (attached === undefined ? undefined : files.get(attached))
  return upload?.content.toString()
}

function checkCertificate(pem: string): void {
  const size = Buffer.byteLength(pem)
  if (size > 3 * 2 ** 20) throw badRequest(`certificate size is too big (${size} bytes)`)
  try {
    new X509Certificate(pem)
  } catch {
    throw badWebhook('Failed to set custom certificate file')
  }
}
