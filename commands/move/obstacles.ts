import type { Release } from '../../roles/bot/spec/release-record.ts'
import type { Situation } from './survey.ts'

/** In MiB: disk that a move leaves free on a host. */
const reserve = 512

/** What a bot needs of the disk of the host that it is moved to, in MiB, without its images. */
export function neededMiB({ databaseMiB, dataMiB, cacheMiB }: Situation): number {
  // Beside the database its dump, which is compressed.
  return Math.ceil(databaseMiB * 1.5) + dataMiB + cacheMiB
}

/** Why a bot cannot be moved, as the hosts are: what would be found out too late, when it is stopped. */
export function obstaclesTo(bot: string, from: Situation, to: Situation, imagesMiB: number): string[] {
  const { record } = from
  const [here, there] = [from.host.name, to.host.name]
  if (!to.isReady)
    return [`${there} has no database server and nginx that run: npx zx playbooks/site.ts --limit ${there} first`]
  const needed = neededMiB(from) + imagesMiB + reserve
  return [
    ...(record?.spec.replicas === undefined
      ? []
      : [
          `${bot} runs as replicas on ${record.spec.replicas.hosts.join(', ')}: take "replicas:" and "hosts:" away and release it (npx zx playbooks/bot.ts --name ${bot}), then move it`,
        ]),
    ...(from.architecture === to.architecture
      ? []
      : [
          `the image of ${bot} is for ${from.architecture}, and ${there} is ${to.architecture}: it is built anew there, which is a release and no move`,
        ]),
    ...(record?.spec.database && from.postgres !== to.postgres
      ? [
          `${here} has PostgreSQL ${from.postgres}, and ${there} has ${to.postgres}: bring both to the same one: npx zx playbooks/update.ts --postgres`,
        ]
      : []),
    ...(to.freeMiB < needed ? [`${bot} needs ${needed} MiB of disk on ${there}, and ${to.freeMiB} MiB are free`] : []),
    ...(setsOwnWebhook(record) && !to.isSigned
      ? [
          `${bot} sets its webhook itself, and Telegram would not trust the certificate of ${there}: set "domain:" of ${there}`,
        ]
      : []),
  ]
}

function setsOwnWebhook(record: Release | undefined): boolean {
  return record?.spec.webhook === 'bot'
}
