import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import { becomes, type Resource, resource } from '../../../lib/model/resource.ts'
import { attributeChanges } from '../../../lib/resources/file.ts'
import { type FileState, fileState } from '../../../lib/resources/file-state.ts'
import { installFile } from '../../../lib/shell/install-file.ts'
import { lines, sh } from '../../../lib/shell/sh.ts'
import { type Cache, cachePort } from '../spec/cache.ts'
import { cacheLayout } from './layout.ts'

/**
 * The configuration of a cache, with its password: in a file that the server alone reads, since arguments and variables can be seen
 * by others. A server that runs has read the old one, and is restarted.
 */
export function cacheConfiguration(bot: string, user: string, cache: Cache): Resource {
  const { password, config, container } = cacheLayout(bot)
  const file = `${config}/server.conf`
  const wanted = { mode: '0400', owner: user, group: user }
  const settings = settingsOf(cache)
  const reads = { now: fileState(file), said: configState(bot) }
  return resource({
    id: `cache-config:${bot}`,
    wants: settings,
    reads,
    plan: ({ now, said }) => {
      const after: FileState = { type: 'file', ...wanted }
      const predicts = [becomes(reads.now, after), becomes(reads.said, ['same', ...settings].join('\n'))]
      const attributes = now === 'absent' ? [] : attributeChanges(now, wanted)
      if (said === ['same', ...settings].join('\n')) {
        if (attributes.length === 0) return []
        const script = sh`chown ${`${user}:${user}`} ${file}; chmod 0400 ${file}`
        return [{ summary: attributes.join(', '), script, predicts }]
      }
      const write = sh`printf '%s\n' "requirepass $(cat ${password})" ${settings} >"$candidate"`
      const script = sh`
        ${installFile(file, { owner: `${user}:${user}`, mode: '0400', write })}
        ! docker container inspect ${container} >/dev/null 2>&1 || docker restart ${container} >/dev/null`
      return [{ summary: said === undefined ? 'create' : 'content', script, predicts }]
    },
  })
}

function settingsOf({ memoryMB, persist }: Cache): string[] {
  return [
    // The buffers of clients must fit beside it, and what a rewrite of the log copies.
    `maxmemory ${Math.floor((memoryMB * (persist ? 2 : 3)) / 4)}mb`,
    'maxmemory-policy noeviction',
    'save ""',
    `appendonly ${persist ? 'yes' : 'no'}`,
    'dir /data',
    `port ${cachePort}`,
  ]
}

/** The configuration without its first line, the password; before it the word `same` where that is the one of the bot. */
function configState(bot: string): Reading<string | undefined> {
  return reading(configs, bot)
}

const configs: Kind<string | undefined> = {
  name: 'cache-config',
  // By the shell itself, which most bots have no more than one test for.
  script: (bots) =>
    lines(
      bots.map((bot) => {
        const { config, password } = cacheLayout(bot)
        return sh`
    if [ -f ${`${config}/server.conf`} ]; then
      echo ${`config ${bot}`}
      own=
      { IFS= read -r own || :; } 2>/dev/null <${password}
      {
        IFS= read -r first
        if [ "$first" = "requirepass $own" ]; then echo same; fi
        while IFS= read -r line; do printf '%s\n' "$line"; done
      } <${`${config}/server.conf`}
    fi`
      }),
    ),
  parse: (output, bots) => {
    const blocks = output.split(/^config /m).slice(1)
    const found = new Map(
      blocks.map((block) => [block.split('\n')[0], block.split('\n').slice(1).join('\n').trimEnd()]),
    )
    return new Map(bots.map((bot) => [bot, found.get(bot)]))
  },
}
