import { when } from '../../lib/model/combinators.ts'
import type { Resource } from '../../lib/model/resource.ts'
import { nginxFile } from '../../lib/platform/nginx.ts'
import { besideRoutes } from './public/nginx-common.ts'
import { locationFile, nginxTexts, type Routed, siteFile } from './release/nginx-route.ts'
import type { BotInstance } from './spec/instance.ts'

/** The files by which nginx routes to the serving container. A bot that polls has none but for its routes. */
export function nginxFiles(
  instance: Omit<BotInstance, 'number'>,
  deployed: (make: (release: Routed, number: number) => Resource) => Resource,
): Resource[] {
  const { bot } = instance
  // The zones first, which the locations refer to.
  return [siteFile(bot), locationFile(bot)].map((path) =>
    deployed((release, number) => {
      const texts = nginxTexts({ ...instance, number }, release)
      const beside = besideRoutes(siteFile(bot), texts[siteFile(bot)])
      return when([], () => texts[path] !== undefined, nginxFile(path, texts[path] ?? '', undefined, beside))
    }),
  )
}
