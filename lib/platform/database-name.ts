/** The name of a bot's role and of its database: the three are one. */
export function databaseName(bot: string): string {
  return bot.replaceAll('-', '_')
}

/** Whether a name is reserved by the server or by us. No bot may have it: as a role it may have every right. */
export function isReserved(name: string): boolean {
  return /^(pg_|botgarden|postgres$|template[01]$|public$|none$)/i.test(name)
}

/** Names of databases and roles that are handed to programs and shells as they are, without a second thought. */
export function isPlainName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_ .-]{0,62}$/.test(name)
}
