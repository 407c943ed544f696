import type { BotManifest, BotSettings } from '../schema.ts'
import type { Spec } from '../spec.ts'

type Said = Pick<BotSettings, 'replicas' | 'hosts'> & Pick<BotManifest, 'stateless'>

/** Why a bot cannot run several times as its keys are, as lines `KEY: what`. */
export function replicaFaults(said: Said, spec: Spec): readonly string[] {
  const { replicas, hosts, stateless } = said
  if (replicas === undefined && hosts === undefined) return []
  if (replicas === undefined)
    return ['hosts: names hosts that run it together: set "replicas:" as well, or leave it out']
  if (hosts === undefined) return [`replicas: ${replicas} of them need hosts: set "hosts: [vps1, vps2, …]" as well`]
  const lacks = (key: string, why: string) => `${key}: ${why}: leave it out, or leave out "replicas:"`
  return [
    ...(stateless === true
      ? []
      : [
          'replicas: needs "stateless: true" in its bot.yaml, by which its author says that any of several replicas may take any update: what it must remember, and what keeps the updates of a chat in order, is in the database',
        ]),
    ...(spec.mode === 'webhook'
      ? []
      : [`mode: ${spec.mode} cannot have replicas, as only a webhook spreads updates over them: set "mode: webhook"`]),
    ...(spec.webhook === 'bot' ? [lacks('webhook', 'each replica would set the webhook itself')] : []),
    ...(spec.data?.length ? [lacks('data', 'folders that last are on one host, and replicas are on several')] : []),
    ...(spec.cache ? [lacks('cache', 'its server is on one host, and replicas reach only the database there')] : []),
    ...(spec.external ? [lacks('database.external', 'replicas reach the database by the router on their host')] : []),
    ...(spec.processes ? [lacks('processes', 'they run beside the bot on its host')] : []),
    ...(spec.jobs ? [lacks('jobs', 'they run beside the bot on its host')] : []),
  ]
}
