import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { sha256Of } from '../../lib/std/sha256.ts'
import { programDir, provedMark, tokenFile } from './paths.ts'
import type { WatchVars } from './schema.ts'

/**
 * Alerts arrive: a message is sent for real, by the program itself, and must be taken. What it was sent with is noted, as the
 * checksum of the token and of where it went, so that it is sent again only where one of these has changed.
 */
export function provedSinks(wanted: Pick<WatchVars, 'chat' | 'url'>, telegram: string): Resource {
  const proved = provedReading(wanted, telegram)
  return resource({
    id: 'watch:message',
    wants: proved.name,
    reads: { proved },
    plan: ({ proved: isProved }) => {
      if (isProved) return []
      const script = sh`
        ${`${programDir}/watch`} --prove
        ${markNow}
        printf '%s %s\n' ${proved.name} "$sum" >${provedMark}.new
        mv -fT ${provedMark}.new ${provedMark}`
      return [
        {
          summary: 'send a message to where alerts go',
          script: { text: script.text, shown: `${programDir}/watch --prove` },
          predicts: [becomes(proved, true)],
        },
      ]
    },
  })
}

/** Sends a message to where the alerts of a host go, and fails with the reason where it is not taken; undefined where none go anywhere. */
export function alertProof({ chat, url }: WatchVars): Script | undefined {
  return chat === undefined && url === undefined ? undefined : sh`${`${programDir}/watch`} --prove`
}

/** Whether a message with the token that is there was taken by these sinks. */
export function provedReading({ chat, url }: Pick<WatchVars, 'chat' | 'url'>, telegram: string): Reading<boolean> {
  return reading(kind, sha256Of(JSON.stringify([chat ?? null, url ?? null, telegram])))
}

/** Shell text: into `$sum`, the checksum of the token; empty where there is none. */
const markNow = sh`sum=$(sha256sum 2>/dev/null <${tokenFile}) || sum=
      sum=\${sum%% *}`

const kind: Kind<boolean> = {
  name: 'watch-proof',
  script: () => sh`
    mark=
    { IFS= read -r mark || :; } 2>/dev/null <${provedMark} || :
    [ -z "$mark" ] || {
      ${markNow}
      printf '%s|%s\n' "$mark" "$sum"
    }`,
  parse: (output, names) => {
    const [mark, sum] = output.trim().split('|')
    return new Map(names.map((name) => [name, mark === `${name} ${sum}`]))
  },
}
