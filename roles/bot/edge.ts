/** nginx's file of a bot: what Telegram sends to its path goes to the container that serves. */
export function locationText(bot: string, address: string, port: number, webhookPath: string): string {
  return `# Written by botgarden; changes made here are overwritten.
location = /tg/${bot} {
    limit_except POST { deny all; }
    proxy_pass http://${address}:${port}${webhookPath};
}
`
}

/** Its path in nginx's configuration. */
export function locationFile(bot: string): string {
  return `bots/${bot}.conf`
}

/** Where Telegram delivers to. It is no secret: what proves Telegram is in a header. */
export function webhookUrl(bot: string, name: string, httpsPort: number): string {
  return `https://${name}${httpsPort === 443 ? '' : `:${httpsPort}`}/tg/${bot}`
}
