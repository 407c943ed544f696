import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import type { Facts } from '../../lib/model/facts.ts'
import type { Reading } from '../../lib/model/reading.ts'
import { isArchived } from '../../lib/platform/archive/wal-archive.ts'
import { allDomains } from '../../lib/platform/domains.ts'
import { nginxState } from '../../lib/platform/nginx.ts'
import { publicName } from '../../lib/platform/public-name.ts'
import { archiveReading } from '../../roles/backups/continuous/status.ts'
import { lastRun } from '../../roles/backups/last-backup.ts'
import { updatesWaiting } from '../../roles/base/upgrades.ts'
import { jobsState } from '../../roles/bot/jobs/state.ts'
import { originOf, webhookUrl } from '../../roles/bot/release/nginx-route.ts'
import { replicasState } from '../../roles/bot/release/replicas/state.ts'
import { currentRelease } from '../../roles/bot/spec/release-record.ts'
import type { BotSettings, BotVars } from '../../roles/bot/spec/schema.ts'
import { deployedBots, movedBots } from '../../roles/bot/status.ts'
import { webhookState } from '../../roles/bot/telegram/webhook-state.ts'
import { servedCertificate } from '../../roles/nginx/served.ts'
import { majorOf } from '../../roles/postgres/cluster.ts'
import { type PairWanted, replicationReading } from '../../roles/postgres/replication/shown.ts'
import { serverVars } from '../../roles/postgres/server.ts'
import { gateReading } from '../../roles/standby/gate.ts'
import { pairOf } from '../mesh/pair.ts'
import { clockReading } from './clock-reading.ts'
import { connectionsReading } from './connections-reading.ts'
import { containersReading } from './container-reading.ts'
import { hostReading } from './host-reading.ts'
import { trafficReading } from './traffic-reading.ts'

/** What is asked of one host, each by its name. */
export interface Questions {
  readonly all: readonly Reading[]
  readonly bots: readonly BotQuestions[]
  readonly certificates: readonly CertificateQuestion[]
  readonly archived: boolean
  readonly pair?: { readonly wanted: PairWanted; readonly reading: ReturnType<typeof replicationReading> } | undefined
}

export interface BotQuestions {
  readonly name: string
  readonly domains: readonly string[]
  /** Its own webhook URL. */
  readonly url: string
  readonly release: ReturnType<typeof currentRelease>
  readonly webhook: ReturnType<typeof webhookState>
  readonly jobs: ReturnType<typeof jobsState>
  readonly traffic: ReturnType<typeof trafficReading>
  /** Only of a bot that the inventory has run several times. */
  readonly replicas?: ReturnType<typeof replicasState>
}

export interface CertificateQuestion {
  readonly name: string
  readonly signed: boolean
  readonly reading: ReturnType<typeof servedCertificate>
}

/** All that status asks of a host: one request. `hosts`: those of the inventory. */
export function questionsFor(host: InventoryHost, hosts: readonly InventoryHost[], facts: Facts): Questions {
  const pair = pairQuestion(host, hosts)
  // The WAL of a standby is that of its primary, which archives it.
  const archived = isArchived(host) && pair?.wanted.is !== 'standby'
  const name = publicName(host, facts)
  const { telegram } = host.vars.bot as BotVars
  const origin = originOf(name, host.httpsPort)
  const bots = host.bots.map(({ name: bot, settings }): BotQuestions => {
    const url = webhookUrl(origin, bot)
    return {
      ...{ name: bot, url, domains: allDomains({ bots: [{ name: bot, where: '', settings }] }) },
      release: currentRelease(bot),
      webhook: webhookState({ bot, url, name, telegram, ask: true }),
      jobs: jobsState(bot),
      traffic: trafficReading(bot),
      ...((settings as BotSettings).replicas !== undefined && { replicas: replicasState(bot) }),
    }
  })
  const certificates = [name, ...allDomains(host)].map(
    (each): CertificateQuestion => ({
      name: each,
      signed: each !== name || host.domain !== undefined,
      reading: servedCertificate(each, host.httpsPort),
    }),
  )
  const ofHost = [hostReading, containersReading, connectionsReading, clockReading, nginxState, lastRun, updatesWaiting]
  return {
    all: [
      ...ofHost,
      deployedBots,
      movedBots,
      ...(archived ? [archiveReading] : []),
      ...(pair === undefined ? [] : [pair.reading, gateReading]),
      ...certificates.map(({ reading }) => reading),
      ...bots.flatMap(({ release, webhook, jobs, traffic, replicas }) => [
        release,
        webhook,
        jobs,
        traffic,
        ...(replicas ? [replicas] : []),
      ]),
    ],
    bots,
    certificates,
    pair,
    archived,
  }
}

function pairQuestion(host: InventoryHost, hosts: readonly InventoryHost[]): Questions['pair'] {
  const pair = pairOf(host, hosts)
  if (pair === undefined) return undefined
  const { is, other, synchronous } = pair
  return {
    wanted: { is, other: other.host.name, synchronous },
    reading: replicationReading(majorOf(serverVars(host).image)),
  }
}
