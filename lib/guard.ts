import type { Step } from './apply.ts'
import type { Guard } from './resource.ts'
import { secondsOf } from './seconds.ts'
import { type Script, sh } from './sh.ts'

const directory = '/var/lib/botgarden/guard'
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
  if mv ${directory}/armed ${directory}/confirmed 2>/dev/null; then verdict=confirmed
  else
    # The host was faster; it may be in the middle of it.
    for second in $(seq 60); do [ -e ${directory}/reverting ] || break; sleep 1; done
    [ ! -e ${directory}/reverting ] || { echo 'the host is still taking it back'; exit 1; }
    [ -e ${directory}/reverted ] && verdict=reverted || verdict=confirmed
  fi
  systemctl stop botgarden-guard.timer 2>/dev/null || :
  systemctl disable --quiet botgarden-guard.service 2>/dev/null || :
  rm -rf ${unit} ${directory}
  systemctl daemon-reload
  echo "verdict $verdict"`

/** Takes the guarded changes back now, and prints the verdict. */
export const revertScript = sh`
  systemctl start botgarden-guard.service
  ${confirmScript}`

/**
 * Takes back what an earlier run left unconfirmed, since whoever holds the lock knows that nobody will confirm it any more,
 * and clears away what is left of it.
 */
export const revertOrphan = sh`[ ! -e ${directory} ] || { ${revertScript}
  } >/dev/null`

function armScript(guards: readonly Guard[]): Script {
  const paths = guards.flatMap((guard) => guard.paths.map((path) => path.replace(/^\//, '')))
  const restore = guards.map((guard) => guard.restore.text).join('\n')
  const { text } = sh`
    new=${directory}.new
    rm -rf "$new" ${directory}
    mkdir -p -m 0700 /var/lib/botgarden
    mkdir -m 0700 "$new"
    cd /
    for path in ${paths}; do
      printf '%s\n' "$path" >>"$new/paths"
      if [ -e "$path" ] || [ -L "$path" ]; then printf '%s\n' "$path" >>"$new/kept"; fi
    done
    touch "$new/kept"
    tar -cpf "$new/kept.tar" --verbatim-files-from -T "$new/kept"
    printf %s ${encoded(restore)} | base64 -d >"$new/restore"
    printf %s ${encoded(takeBack)} | base64 -d >"$new/take-back"
    touch "$new/armed"
    sync -f "$new"
    mv -T "$new" ${directory}
    printf %s ${encoded(unitText)} | base64 -d >${unit}
    systemctl daemon-reload
    systemctl enable --quiet botgarden-guard.service
    # A reset from the provider's panel, the answer of whoever is locked out, must not find an empty one.
    sync -f ${unit}
    systemd-run --quiet --on-active=${guardSeconds()} --timer-property=AccuracySec=1s --unit=botgarden-guard.service`
  return { text, shown: `keep ${paths.map((path) => `/${path}`).join(' ')}` }
}

/** What the host runs alone. Cut in the middle, by a reboot, it is run again: it only ends with \`reverted\`. */
const takeBack = `cd ${directory} || exit 0
mv armed reverting 2>/dev/null || [ -e reverting ] || exit 0
set -e
# Nothing is removed before it is sure that there is something to put back.
tar -tf kept.tar >/dev/null
while IFS= read -r path; do rm -rf -- "/$path"; done <paths
tar -xpf kept.tar -C /
sh ./restore || :
sync -f .
mv reverting reverted
`

const unitText = `[Unit]
Description=botgarden: take back a guarded change that nobody confirmed
ConditionPathExists=|${directory}/armed
ConditionPathExists=|${directory}/reverting
# After a boot nobody is left to confirm.
After=ssh.service ufw.service

[Service]
Type=oneshot
ExecStart=/bin/sh ${directory}/take-back

[Install]
WantedBy=multi-user.target
`

function encoded(text: string): string {
  return Buffer.from(text).toString('base64')
}
