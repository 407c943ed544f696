import { lines, type Script, sh } from '../../../../lib/shell/sh.ts'
import { shellFile } from '../../../../lib/shell/shell-file.ts'
import { formerOf } from '../../public/layout.ts'
import { extractScript, pruneScript } from '../../public/static-files.ts'
import type { BotInstance } from '../../spec/instance.ts'
import { layoutOf } from '../../spec/layout.ts'
import type { Limits } from '../../spec/limits.ts'
import { imagesIn } from '../../spec/processes.ts'
import type { Release } from '../../spec/release-record.ts'
import { healthFunctions } from '../health-check.ts'
import { refuseVolumesScript } from '../image-volumes.ts'
import { keepLogFunctions } from '../logs/kept-log.ts'
import { routeFunctions } from '../nginx-route.ts'
import { commitOf } from '../policy.ts'
import { pruneImages } from '../prune-images.ts'
import { migration, migrationDump, recordCall, type Switch } from '../switch-script.ts'
import { variablesFunction } from '../variables.ts'
import { replicaSteps } from './steps.ts'

const functions = shellFile(new URL('../switch.sh', import.meta.url))

/**
 * Shell text: the replicas become a new version one after another, behind the router that stays. Where one of them fails, the swarm goes
 * back to the version before by itself, also if nobody waits for it any more.
 */
export function rollScript(change: Switch & { readonly old: Release }): Script {
  const { instance, spec, colour, old, policy, limits, secrets } = change
  const { bot } = instance
  const layout = layoutOf(bot)
  const replicas = replicaSteps(instance, spec, old.spec, limits, policy.settle)
  const after = { spec, colour, ...formerOf(spec, old) }
  const script = sh`
    ${lines(imagesIn(spec).map((image) => refuseVolumesScript(bot, spec, image)))}
    ${extractScript(bot, instance.number, spec)}
    new=${layout.container(colour)} state=${layout.state} secrets=${layout.secrets} dump='' copy='' words=''
    ${healthFunctions(instance, colour, spec)}
    ${keepLogFunctions(bot)}
    ${functions}
    ${routeFunctions(instance, after, old)}
    ${replicas.functions}
    ${variablesFunction(instance, colour, spec)}
    ${replicas.refuse}
    ${policy.migrates ? migrationDump(bot, spec, old) : sh`:`}
    ${policy.migrates ? migration(change) : sh`:`}
    revert_roll() {
      trap - EXIT
      route_is_restored || route_restore || echo 'nginx could not be reverted: run site.ts'
      replicas_back
      echo ${`the previous version is still serving: ${old.spec.image}`}
      exit 1
    }
    trap revert_roll EXIT
    trap 'exit 143' TERM
    ${replicas.network}
    ${replicas.up}
    await_health
    route_switch
    ${recordCall({ ...after, by: policy.by, ...commitOf(policy), limits }, secrets)}
    trap - EXIT
    [ -z "$passed" ] || : >"$passed"
    ${pruneScript(bot, after, old)}
    ${pruneImages(bot, [...imagesIn(spec), ...imagesIn(old.spec)], policy.keep)}`
  return { text: script.text, shown: `roll ${bot} out to ${spec.image}` }
}

/** Shell text: the replicas are as the release says that serves. */
export function replicasRepair(instance: BotInstance, { spec }: Release, limits: Limits, settle: number): Script {
  const { functions: named, network, up } = replicaSteps(instance, spec, spec, limits, settle)
  const script = sh`
    ${named}
    ${variablesFunction(instance, 'blue', spec)}
    ${network}
    ${up}`
  return { text: script.text, shown: `deploy the replicas of ${instance.bot}` }
}
