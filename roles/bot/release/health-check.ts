import { waiting } from '../../../lib/shell/deadline.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { addressOf, type Colour, placesOf } from '../spec/layout.ts'
import type { Spec } from '../spec/spec.ts'
import type { Seat } from './compose-file.ts'

/** Everything that tells why a container is not what it should be. */
export function reportFunction(): Script {
  return sh`report() {
      docker container inspect --format '{{.Name}}: {{.State.Status}}, exit code {{.State.ExitCode}}, out of memory: {{.State.OOMKilled}}, restarts {{.RestartCount}}' "$1" || :
      [ -z "$last" ] || echo "its last answer to $url: $last"
      echo 'its last lines:'
      docker logs --tail 40 "$1" 2>&1 || :
    }`
}

/** Docker says only that an address is in use. */
export function holderFunction({ bot, base, number }: Seat, colour: Colour): Script {
  const { network } = placesOf(bot)
  const address = addressOf(base, number, colour)
  const each = '{{range .Containers}}{{.IPv4Address}} {{println .Name}}{{end}}'
  return sh`report_holder() {
      holder=$(docker network inspect --format ${each} ${network} | sed -n ${`s#^${address}/[0-9]* ##p`} | grep -vxF -e "$new" || :)
      [ -z "$holder" ] || echo ${`${address} is this version's, and the container `}"$holder"' has it: docker rm -f '"$holder"
    }`
}

/** By the host's own curl, at the container's own address: no image needs a tool for that. */
export function healthFunction(
  { base, number }: Seat,
  colour: Colour,
  { health, port }: Spec,
  /** How long a new container may take to answer that it is well, in seconds. */
  patience = 60,
): Script {
  const url = health === undefined ? '' : `http://${addressOf(base, number, colour)}:${port}${health}`
  return sh`
    ${waiting}
    url=${url} last=
    running() { [ "$(docker container inspect --format '{{.State.Running}} {{.RestartCount}}' "$new" 2>/dev/null)" = 'true 0' ]; }
    # Within so many seconds, and not more than five.
    healthy() {
      running || { last='it does not run'; return 1; }
      [ -n "$url" ] || return 0
      last=$(curl --silent --show-error --output /dev/null --max-time "$(($1 < 5 ? $1 : 5))" --write-out '%{http_code}' "$url" 2>&1) && case $last in 2*) return 0 ;; esac
      return 1
    }
    await_health() {
      begin_wait ${patience}
      while time_left; do
        ! healthy "$left" || return 0
        running || { sleep 1; running || { echo "$new ended before it was ready"; return 1; }; }
        sleep 1
      done
      echo "$((${patience} - left)) s have not been enough for it to be ready"
      return 1
    }
    settle() {
      begin_wait "$1"
      while time_left; do
        sleep 1
        running || { time_left || :; echo "$new ended $(($1 - left)) s after it was ready"; return 1; }
      done
      healthy 5 || { echo "$new was ready, and is no more"; return 1; }
    }`
}
