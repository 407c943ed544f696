import { type Kind, type Reading, reading } from '../../../../lib/model/reading.ts'
import { containersIn, inspectNamed, type PresentContainer } from '../../../../lib/resources/container.ts'
import { engineSilence, unlessSilent } from '../../../../lib/resources/docker-engine.ts'
import { type Script, sh } from '../../../../lib/shell/sh.ts'
import { botFolders, type Colour, layoutOf } from '../../spec/layout.ts'

/** By name, the containers of the processes of a bot, of both colours; undefined where it has none. */
export type ProcessStates = Readonly<Record<string, PresentContainer>> | undefined

export function processStates(bot: string): Reading<ProcessStates> {
  return reading(kind, bot)
}

/** The file that is there as long as there may be processes which no record of a release tells of. */
export function processMark(bot: string): string {
  return `${layoutOf(bot).state}/processes`
}

/** The process and the colour that a container of this bot is of; undefined for any other. */
export function processOf(bot: string, container: string): { name: string; colour: Colour } | undefined {
  const prefix = `${layoutOf(bot).network}.`
  if (!container.startsWith(prefix)) return undefined
  const [, name = '', colour] = /^(.+)-(blue|green)$/.exec(container.slice(prefix.length)) ?? []
  return name === '' ? undefined : { name, colour: colour as Colour }
}

/** Shell text: prints the names of the containers of a bot's processes, a line each; of one colour, or of both. */
export function listProcesses(bot: string, colour: Colour | '(blue|green)' = '(blue|green)'): Script {
  return listed(layoutOf(bot).network, colour)
}

function listed(network: string, colour: string): Script {
  const pattern = `^${network}\\.[a-z0-9-]+-${colour}$`
  return sh`docker ps --all --format '{{.Names}}' --filter ${`name=${pattern}`}`
}

const kind: Kind<ProcessStates> = {
  name: 'process-containers',
  volatile: true,
  // By the shell itself where no bot has any, which is most hosts.
  script: (bots) => sh`
    wanted=''
    for bot in ${bots}; do
      state=${botFolders.state}/$bot line=''
      { IFS= read -r line || :; } 2>/dev/null <"$state/current.json" || :
      case $line in *'"processes":{'*) wanted=yes ;; esac
      [ ! -e "$state/processes" ] || wanted=yes
    done
    if [ -n "$wanted" ]; then
      if names=$(${listed('botgarden-[a-z0-9-]+', '(blue|green)')} 2>/dev/null); then
        ${inspectNamed}
      else ${engineSilence}
      fi
    fi`,
  parse: unlessSilent((output, bots) => {
    const found = [...containersIn(output)]
    return new Map(
      bots.map((bot) => {
        const own = found.filter(([name]) => processOf(bot, name) !== undefined)
        return [bot, own.length === 0 ? undefined : Object.fromEntries(own)]
      }),
    )
  }),
}
