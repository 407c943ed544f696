/** Where a bot takes updates, as `/webhook`, or `/hook/*` where it appends something of its own to its URL, such as its token. */
export interface WebhookPath {
  /** Without what is appended: `/hook`, and `/` for `/*`. */
  readonly path: string
  readonly appends: boolean
}

export function webhookPathOf(written: string): WebhookPath {
  if (!written.endsWith('/*')) return { path: written, appends: false }
  return { path: written.slice(0, -2) || '/', appends: true }
}

/** Whether a URL that Telegram has is that of a bot, which is known up to what the bot appends. */
export function isWebhookOf(url: string, bots: string, { webhookPath }: { readonly webhookPath: string }): boolean {
  const { appends } = webhookPathOf(webhookPath)
  return appends ? url.startsWith(`${bots}/`) && url.length > bots.length + 1 : url === bots
}
