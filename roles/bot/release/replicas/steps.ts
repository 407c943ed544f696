import { enginePost } from '../../../../lib/resources/docker-engine.ts'
import { waiting } from '../../../../lib/shell/deadline.ts'
import { lines, type Script, sh } from '../../../../lib/shell/sh.ts'
import { shellFile } from '../../../../lib/shell/shell-file.ts'
import type { BotInstance } from '../../spec/instance.ts'
import { layoutOf } from '../../spec/layout.ts'
import type { Limits } from '../../spec/limits.ts'
import type { Spec } from '../../spec/spec.ts'
import { healthTools } from './health.ts'
import { replicasLayout } from './layout.ts'
import { replicasService } from './service.ts'

const functions = lines([enginePost, shellFile(new URL('replicas.sh', import.meta.url))])

/** What a script does about the replicas of a bot, as shell texts for their places in it. */
export interface ReplicaSteps {
  readonly functions: Script
  /** Before anything is changed: what would keep the version from running several times. */
  readonly refuse: Script
  /** Before the router starts: the network that both are in. */
  readonly network: Script
  /** The version runs on its hosts; fails where it does not, and then nothing of it does. */
  readonly up: Script
  readonly back: Script
  /** Once the version serves that has none. */
  readonly remove: Script
}

const nothing = sh`:`
/** For the functions that a removal does not call. */
const noneWanted = sh`mtu='' replicas_secrets='' replicas_wanted=0 replicas_seconds=0`
const none: ReplicaSteps = {
  ...{ functions: nothing, refuse: nothing, network: nothing, up: nothing, back: nothing, remove: nothing },
}

/** Of a switch from a version to another one, where either of them runs several times. */
export function replicaSteps(
  instance: BotInstance,
  spec: Spec,
  old: Spec | undefined,
  limits: Limits,
  settle: number,
): ReplicaSteps {
  if (spec.replicas === undefined && old?.replicas === undefined) return none
  const { bot } = instance
  const layout = replicasLayout(bot)
  const named = sh`
    bot=${bot} service=${layout.service} overlay=${layout.network} secrets=${layoutOf(bot).secrets} replicas_before=${old?.replicas ? 'yes' : ''}`
  if (spec.replicas === undefined)
    return { ...none, functions: lines([waiting, named, noneWanted, functions]), remove: sh`replicas_remove` }
  const { count } = spec.replicas
  const { body, secrets } = replicasService(instance, spec, limits, settle)
  const { refusesTools, noTools } = toolsOf(spec)
  return {
    functions: lines([
      waiting,
      named,
      sh`
    mtu=${instance.swarm?.mtu ?? 1420} replicas_secrets=${secrets.join(' ')} replicas_wanted=${count} replicas_seconds=${(count + 1) * (90 + settle)}`,
      functions,
      sh`replicas_body() { ${body}; }`,
    ]),
    refuse: refusesTools
      ? sh`[ -n "$(docker run --rm --network none --entrypoint /bin/sh ${spec.image} -c ${healthTools} 2>/dev/null)" ] || { echo ${noTools}; exit 1; }`
      : nothing,
    network: sh`replicas_network`,
    up: sh`
      replicas_deploy
      replicas_await`,
    back: sh`replicas_back`,
    remove: nothing,
  }
}

/** Shell text: nothing of a bot is left in the swarm of its host, where that is in one. */
export function removeReplicas(bot: string): Script {
  const layout = replicasLayout(bot)
  return sh`
    if [ -e /var/lib/docker/swarm/docker-state.json ]; then
      bot=${bot} service=${layout.service} overlay=${layout.network}
      ${noneWanted} replicas_before='' secrets=''
      ${waiting}
      ${functions}
      replicas_remove
    fi`
}

function toolsOf({ health }: Spec) {
  return {
    refusesTools: health !== undefined,
    noTools:
      'the image has no shell with curl, wget, bash, node or python3, one of which asks a replica whether it is ready: add one to it, or leave out "replicas:"',
  }
}
