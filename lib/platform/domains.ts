import type { Resource } from '../model/resource.ts'
import type { BotEntry, HostEntry } from '../model/role.ts'
import { directory, file } from '../resources/file.ts'
import { selfSigned, tlsFolder } from './certificate.ts'

/** The domains of a bot, as the inventory has them. */
export function domainsOf({ settings }: Pick<BotEntry, 'settings'>): readonly string[] {
  return (settings as { readonly domains?: readonly string[] } | undefined)?.domains ?? []
}

/** The domains of all bots of a host. */
export function allDomains({ bots }: Pick<HostEntry, 'bots'>): readonly string[] {
  return bots.flatMap(domainsOf)
}

/** Its name says that the folder it is in is of a bot's domain, and may be deleted with it. */
export const domainMark = '.domain-of-a-bot'

/** The folder for the certificate of a bot's domain, with a certificate to begin with. */
export function domainFolder(domain: string): Resource[] {
  const folder = `${tlsFolder}/${domain}`
  return [
    directory(folder, { mode: '0700' }),
    file(`${folder}/${domainMark}`, {
      content: 'Written by botgarden: this folder is deleted when the inventory has the domain no longer.\n',
      mode: '0600',
    }),
    selfSigned(domain, { placeholder: true }),
  ]
}
