import { fromReading, refuseWhen, when } from '../../lib/model/combinators.ts'
import type { Read, Resource } from '../../lib/model/resource.ts'
import { tlsFolder } from '../../lib/platform/certificate.ts'
import { sitePath } from '../../lib/platform/domain-server.ts'
import { nginxFile } from '../../lib/platform/nginx.ts'
import { siteFile } from '../../lib/platform/site-file.ts'
import { fileState } from '../../lib/resources/file-state.ts'
import { besideRoutes } from './public/nginx-common.ts'
import { locationFile, nginxTexts, type Routed, textsBefore } from './release/nginx-route.ts'
import { allocations } from './spec/allocations.ts'
import type { BotInstance } from './spec/instance.ts'
import { currentRelease, parseRelease } from './spec/release-record.ts'

/** The file by which nginx routes to the serving container, on the name of the host. A bot that polls has none but for its routes. */
export function locationsOf(
  instance: Omit<BotInstance, 'number'>,
  deployed: (make: (release: Routed, number: number) => Resource) => Resource,
): Resource {
  const [path, site] = [locationFile(instance.bot), sitePath(instance.bot)]
  return deployed((release, number) => {
    const texts = nginxTexts({ ...instance, number }, release)
    const beside = besideRoutes(release.spec, { [site]: texts[site] })
    return when([], () => texts[path] !== undefined, nginxFile(path, texts[path] ?? '', undefined, beside))
  })
}

/** The file with the limits of its routes and the servers of its domains, which are there before the bot is. */
export function siteOf(instance: Omit<BotInstance, 'number'>): Resource {
  const { bot } = instance
  const file = fromReading(allocations, {}, (taken) =>
    fromReading(currentRelease(bot), undefined, (record) => {
      const release = parseRelease(record)
      const number = release && taken[bot]
      const isServed = release !== undefined && number !== undefined
      const texts = isServed ? nginxTexts({ ...instance, number }, release) : textsBefore(instance)
      const text = texts[sitePath(bot)]
      const beside = besideRoutes(release?.spec ?? {}, {})
      return when([], () => text !== undefined, siteFile(bot, text ?? '', beside))
    }),
  )
  return refuseWithoutCertificates(instance, file)
}

/** The resource; where it has changes, its plan throws a `HostError` if nginx could not load a certificate that they name. */
function refuseWithoutCertificates(
  { bot, domains = [] }: Pick<BotInstance, 'bot' | 'domains'>,
  inner: Resource,
): Resource {
  // The roles of nginx and certbot make each folder with a certificate in it.
  const folders = domains.map((domain) => ({ domain, folder: fileState(`${tlsFolder}/${domain}`) }))
  const reason = (read: Read) => {
    const missing = folders.find(({ folder }) => read(folder) === 'absent')
    if (missing === undefined || inner.plan(read).length === 0) return undefined
    return `${missing.domain} of ${bot} is new on this host, and the roles nginx and certbot are needed for it: run npx zx playbooks/site.ts without --tags first`
  }
  return refuseWhen(
    folders.map(({ folder }) => folder),
    reason,
    inner,
  )
}
