import type { Step } from './apply.ts'
import type { Guard } from './resource.ts'
import { secondsOf } from './seconds.ts'
import { quote, type Script, sh } from './sh.ts'
import { guardFolder, takeBack, takeBackUnit } from './take-back.ts'

/** What was decided last. Who asks when another connection has cleared everything away already is told the same. */
const decided = '/run/botgarden/verdict'

const unit = '/etc/systemd/system/botgarden-guard.service'

/** How long the host waits for a confirmation before it takes a guarded change back, in seconds. */
export function guardSeconds(): number {
  return secondsOf('BOTGARDEN_GUARD_SECONDS', 60)
}

/** The steps, with one before the first guarded one that keeps the old files and starts the clock. */
export function armed(steps: readonly Step[]): Step[] {
  const first = steps.findIndex((step) => step.guards.length > 0)
  if (first < 0) return [...steps]
  const guards = new Map(steps.flatMap((step) => step.guards).map((guard) => [guard.name, guard]))
  const title = `guard: keep the old ${[...guards.keys()].join(' and ')}, to be taken back in ${guardSeconds()} s unless confirmed`
  const arm: Step = { changes: [], title, script: armScript([...guards.values()]), long: false, guards: [] }
  return steps.toSpliced(first, 0, arm)
}

/**
 * Confirms the guarded changes: prints the verdict. One rename decides between this and the host's own clock: only one of
 * them finds `armed`.
 */
export const confirmScript = sh`
  if mv ${guardFolder}/armed ${guardFolder}/confirmed 2>/dev/null; then verdict=confirmed
  else
    # The host was faster; it may be in the middle of it.
    for _ in $(seq 60); do [ -e ${guardFolder}/reverting ] || break; sleep 1; done
    [ ! -e ${guardFolder}/reverting ] || { echo 'the host is still taking it back'; exit 1; }
    if [ -e ${guardFolder}/reverted ]; then verdict=reverted; else verdict=$(cat ${decided} 2>/dev/null) || verdict=confirmed; fi
  fi
  (umask 077; mkdir -p /run/botgarden)
  echo "$verdict" >${decided}
  systemctl stop botgarden-guard.timer 2>/dev/null || :
  systemctl disable --quiet botgarden-guard.service 2>/dev/null || :
  rm -rf ${unit} ${guardFolder}
  systemctl daemon-reload
  echo "verdict $verdict"`

/** Takes the guarded changes back now, and prints the verdict. */
export const revertScript = sh`
  systemctl start botgarden-guard.service
  # On its way down, systemd starts nothing any more, and what nobody takes back would pass for confirmed.
  [ ! -e ${guardFolder}/armed ] || sh ${guardFolder}/take-back
  ${confirmScript}`

/**
 * Takes back what an earlier run left unconfirmed, since whoever holds the lock knows that nobody will confirm it any more,
 * and clears away what is left of it.
 */
export const revertOrphan = sh`[ ! -e ${guardFolder} ] || { ${revertScript}
  } >/dev/null`

/**
 * Shell text of a guarded step: it does not begin once its change has been taken back, and is ended where it is still under
 * way then. Otherwise it would go on upon the old files, and nobody would take that back.
 */
export function underGuard(script: string): string {
  const late = `the host has taken it back: it was not confirmed within ${guardSeconds()} s ($BOTGARDEN_GUARD_SECONDS)`
  return `[ -e ${guardFolder}/armed ] || { echo ${quote(late)}; exit 1; }\n${script}`
}

function armScript(guards: readonly Guard[]): Script {
  const paths = guards.flatMap((guard) => guard.paths.map((path) => path.replace(/^\//, '')))
  const notes = guards.map((guard) => guard.note?.text ?? ':').join('\n')
  const restore = guards.map((guard) => guard.restore.text).join('\n')
  const { text } = sh`
    new=${guardFolder}.new
    rm -rf "$new" ${guardFolder} ${decided}
    (umask 077; mkdir -p /var/lib/botgarden)
    mkdir -m 0700 "$new"
    cd /
    for path in ${paths}; do
      printf '%s\n' "$path"
      # What a link leads to is what is changed.
      if [ -L "$path" ]; then readlink -f "$path" | sed s,^/,,; fi
    done >"$new/paths"
    mkdir "$new/old"
    while IFS= read -r path; do
      if [ -e "$path" ] || [ -L "$path" ]; then cp -a --parents -- "$path" "$new/old"; fi
    done <"$new/paths"
    cd "$new"
    ${{ text: notes, shown: '' }}
    printf %s ${encoded(restore)} | base64 -d >"$new/restore"
    printf %s ${encoded(takeBack)} | base64 -d >"$new/take-back"
    touch "$new/armed"
    sync -f "$new"
    mv -T "$new" ${guardFolder}
    printf %s ${encoded(takeBackUnit)} | base64 -d >${unit}
    systemctl daemon-reload
    systemctl enable --quiet botgarden-guard.service
    # A reset from the provider's panel, the answer of whoever is locked out, must not find an empty one.
    sync -f ${guardFolder}
    sync -f ${unit}
    systemd-run --quiet --on-active=${guardSeconds()} --timer-property=AccuracySec=1s --unit=botgarden-guard.service`
  return { text, shown: `keep ${paths.map((path) => `/${path}`).join(' ')}` }
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64')
}
