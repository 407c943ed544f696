import { etcDir, optDir, secretsDir, stateDir } from '../../lib/model/host-layout.ts'
import { becomes, type Resource } from '../../lib/model/resource.ts'
import { type HostEntry, type Role, role } from '../../lib/model/role.ts'
import { allDomains } from '../../lib/platform/domains.ts'
import { publicName } from '../../lib/platform/public-name.ts'
import { directory } from '../../lib/resources/file.ts'
import { aptPackage } from '../../lib/resources/package.ts'
import { secretFile } from '../../lib/resources/secret-file.ts'
import { sh } from '../../lib/shell/sh.ts'
import type { Secret } from '../../lib/std/secret.ts'
import { notWatched } from './absent.ts'
import { programDir, standbyTimer, timerUnit, tokenFile, watchState } from './paths.ts'
import { program } from './program.ts'
import { provedReading, provedSinks } from './proof.ts'
import { faultsOf, vars, type WatchVars } from './schema.ts'
import { noStandbyUnits, standbyUnits, units } from './units.ts'

interface Given {
  /** Left out: the host keeps the one that it has. */
  readonly token?: Secret
  /** The Bot API. */
  readonly telegram: string
}

export const watch = watchRole({ telegram: 'https://api.telegram.org' })

/** Tells a chat or a URL what goes wrong on a host, from the host itself. */
export function watchRole(given: Given): Role {
  return role(
    'watch',
    vars,
    (wanted, facts, host) => {
      // What a host never had is not looked for there.
      if (Object.keys(wanted).length === 0) {
        const left = facts.timers.includes(standbyTimer) ? [noStandbyUnits()] : []
        return facts.timers.includes(timerUnit) ? [...left, notWatched()] : left
      }
      const name = publicName(host, facts)
      const watched = {
        ...{ host: host.name, port: host.httpsPort, telegram: given.telegram, container: facts.container !== '' },
        names: [...new Set([name, ...allDomains(host)])],
        origin: `https://${name}${host.httpsPort === 443 ? '' : `:${host.httpsPort}`}`,
      }
      return [
        ...['curl', 'jq', 'openssl'].map((each) => aptPackage(each)),
        ...[optDir, programDir].map((each) => directory(each)),
        ...[stateDir, watchState, etcDir, secretsDir].map((each) => directory(each, { mode: '0700' })),
        ...(wanted.chat === undefined ? [] : [token(wanted, given)]),
        ...program(wanted, watched),
        provedSinks(wanted, given.telegram),
        ...units(),
        ...(commitsWait(host) ? standbyUnits() : facts.timers.includes(standbyTimer) ? [noStandbyUnits()] : []),
      ]
    },
    faultsOf,
  )
}

function commitsWait({ vars }: HostEntry): boolean {
  return (vars?.postgres as { synchronous?: boolean } | undefined)?.synchronous === true
}

function token(wanted: WatchVars, { token: value, telegram }: Given): Resource {
  const check = sh`
    answer=$({ printf 'url = "%s/bot%s/getMe"\n' ${telegram} "$(cat "$candidate")"; } | curl --silent --max-time 20 --config - || :)
    case $answer in
    *'"error_code":401'* | *'"error_code":404'*) echo 'Telegram rejects watch.token: check that it is complete and not revoked'; exit 1 ;;
    esac`
  return secretFile(tokenFile, 'root', value, {
    id: 'token:watch',
    check,
    missing: 'watch.token: this host has no token yet, and its source gives none: set the variable that it names',
    whenChanged: [becomes(provedReading(wanted, telegram), false)],
  })
}
