import { type Kind, type Reading, reading } from '../model/reading.ts'
import { becomes, type Prediction, type Resource, resource } from '../model/resource.ts'
import { file } from '../resources/file.ts'
import { waiting } from '../shell/deadline.ts'
import { type Script, sh } from '../shell/sh.ts'

/** The container that ends TLS for all bots, and what it reads: `conf` is what is wanted, `running` what it runs. */
export const nginxContainer = 'botgarden-nginx'
export const nginxFolder = '/opt/botgarden/nginx'
export const nginxStatus = '/run/botgarden/nginx/status.sock'
/** Where an answer to an authority's question is laid; nginx serves it on port 80. */
export const acmeWebroot = '/var/lib/botgarden/acme'

export interface NginxState {
  /** `running` is what stands in `conf`. */
  readonly current: boolean
  /** What it runs is as it was laid out: a power cut can leave files empty that have their names already. */
  readonly whole: boolean
  /** The server, asked on its own socket, has loaded just what stands in `conf`, and the certificates as they are. */
  readonly inForce: boolean
}

export const nginxState: Reading<NginxState | 'absent'> = reading(
  {
    name: 'nginx',
    volatile: true,
    script: () => sh`
      [ ! -e ${nginxFolder}/running ] || {
        ${checksum()}
        wanted=$(nginx_checksum ${nginxFolder}/conf)
        echo "wanted $wanted"
        echo "running $(readlink ${nginxFolder}/running)"
        ! nginx_whole ${nginxFolder}/running || echo 'whole yes'
        # One that was started a moment ago is waited for.
        [ -n "$(nginx_says)" ] || [ "$(docker container inspect --format '{{.State.Running}}' ${nginxContainer} 2>/dev/null)" != true ] || nginx_answers
        echo "answers $(nginx_says)"
      }`,
    parse: (output, names) => {
      const of = (word: string) => new RegExp(`^${word} (.+)$`, 'm').exec(output)?.[1]
      const wanted = of('wanted')
      const state: NginxState | 'absent' =
        wanted === undefined
          ? 'absent'
          : {
              current: of('running') === `generations/${wanted}`,
              whole: of('whole') === 'yes',
              inForce: of('answers') === wanted,
            }
      return new Map(names.map((name) => [name, state]))
    },
  } satisfies Kind<NginxState | 'absent'>,
  'config',
)

/** A file of nginx's configuration, by its path in `conf`: the whole configuration with it has passed nginx's own test. */
export function nginxFile(path: string, content: string): Resource {
  return file(`${nginxFolder}/conf/${path}`, {
    content,
    validate: { tool: 'docker', script: (candidate) => sh`${testWith(path, candidate)}` },
    predicts: [outdated],
  })
}

/** The configuration that stands in `conf` is another than what runs. */
export const outdated: Prediction = becomes(nginxState, (now) =>
  now === 'absent' ? now : { ...now, current: false, inForce: false },
)

/** The server runs what stands in its folder; where it refuses, it goes on with what it had, and the run says why. */
export function nginxInForce(): Resource {
  const inner = resource({
    id: 'nginx:config',
    wants: 'in force',
    reads: { state: nginxState },
    plan: ({ state }) => {
      // Without a server there is nothing to reload.
      if (state === 'absent' || state.inForce) return []
      return [
        {
          summary: 'reload',
          script: nginxReload,
          predicts: [becomes(nginxState, { current: true, whole: true, inForce: true })],
        },
      ]
    },
  })
  return { ...inner, late: true }
}

/**
 * Shell text: `nginx_reload` has the running server take what stands in `conf`, if it passes the test as a whole; what
 * runs is a copy, so that a file that nobody tested never keeps the server from starting. Ends when the server says so itself.
 */
export function reloadFunction(): Script {
  return sh`
    ${checksum()}
    # In a shell of its own: its variables are not those of whoever calls it.
    nginx_reload() (
      exec 7>>/run/botgarden/nginx.lock
      flock 7
      sum=$(nginx_checksum ${nginxFolder}/conf)
      next=${nginxFolder}/generations/$sum
      before=$(readlink ${nginxFolder}/running || :)
      if ! nginx_whole "$next"; then
        rm -rf "$next" "$next.new"
        mkdir -p "$next.new"
        cp -R ${nginxFolder}/conf/. "$next.new/"
        printf 'return 200 %s;\n' "$sum" >"$next.new/checksum.conf"
        nginx_files "$next.new" >"$next.new/.files"
        sync -f "$next.new"
        mv -T "$next.new" "$next"
      fi
      runs=$(docker container inspect --format '{{.State.Status}}' ${nginxContainer} 2>/dev/null || :)
      # One that starts again and again runs for moments, too.
      case $runs in running | restarting) runs=running; nginx_answers || runs=crashing ;; *) runs= ;; esac
      if [ "$runs" = running ] && ! said=$(docker exec ${nginxContainer} nginx -t -q -c "/etc/nginx/generations/$sum/nginx.conf" 2>&1) &&
        ! nginx_is_blind "/etc/nginx/generations/$sum/nginx.conf"; then
        printf '%s\n' "$said" | sed "s#/etc/nginx/generations/$sum/#${nginxFolder}/conf/#g"
        [ "$before" = "generations/$sum" ] || rm -rf "$next"
        return 1
      fi
      nginx_runs "generations/$sum"
      if [ -n "$runs" ]; then nginx_took || return 1; fi
      for old in ${nginxFolder}/generations/*/; do [ "$old" = "$next/" ] || rm -rf "$old"; done
    )
    ${blindFunction()}
    nginx_is_current() {
      [ "$(nginx_says)" = "$(nginx_checksum ${nginxFolder}/conf)" ]
    }
    nginx_runs() {
      ln -sfn "$1" ${nginxFolder}/running.new
      mv -fT ${nginxFolder}/running.new ${nginxFolder}/running
    }
    nginx_workers() {
      master=$(docker container inspect --format '{{.State.Pid}}' ${nginxContainer})
      grep -ls "^PPid:.$master$" /proc/[0-9]*/status | sed 's/status$/cmdline/'
    }
    nginx_took() {
      former=
      [ "$runs" != running ] || former=$(nginx_workers)
      # Not by docker kill: for the engine that is a container that somebody has stopped, and no boot brings it back.
      if [ "$runs" = running ]; then docker exec ${nginxContainer} sh -c 'kill -HUP 1'; else docker restart ${nginxContainer} >/dev/null; fi
      begin_wait 15
      while time_left; do
        # Beside a new worker the former ones go on taking connections, until they are told to end.
        [ "$(nginx_says "$left")" != "$sum" ] ||
          { [ -n "$former" ] && [ -n "$(grep -Ls 'shutting down' $former)" ]; } || return 0
        sleep 0.1
      done
      echo 'nginx was told to reload, and goes on as it was:'
      docker logs --tail 5 ${nginxContainer} 2>&1
      # What it goes on with is what it starts with after a boot, too.
      [ -z "$before" ] || [ "$before" = "generations/$sum" ] || nginx_runs "$before"
      return 1
    }`
}

/** Has the server reload; a function, since it is text that others put into theirs. */
export const nginxReload: Script = {
  text: `${reloadFunction().text}\nnginx_reload`,
  shown: 'nginx -t; nginx -s reload',
}

/** nginx's own test of everything that stands in `conf`, with one file as it would be; as long as no server runs, it waits. */
function testWith(path: string, candidate: Script): Script {
  return sh`
    [ "$(docker container inspect --format '{{.State.Running}}' ${nginxContainer} 2>/dev/null)" != true ] || (
      tree=$(mktemp -d /run/botgarden/nginx/candidate.XXXXXX)
      trap 'rm -rf "$tree"' EXIT
      cp -R ${nginxFolder}/conf/. "$tree/"
      mkdir -p "$tree/$(dirname ${path})"
      cat ${candidate} >"$tree/"${path}
      echo 'return 200 candidate;' >"$tree/checksum.conf"
      ${certificateFor()}
      ${blindFunction()}
      said=$(docker exec ${nginxContainer} nginx -t -q -c "$tree/nginx.conf" 2>&1) || nginx_is_blind "$tree/nginx.conf" || {
        printf '%s\n' "$said" | sed "s#$tree/#${nginxFolder}/conf/#g"
        exit 1
      }
    )`
}

/**
 * Whether the server, whose test has failed, cannot see this file or the certificates: the folders that it has mounted are gone.
 * Then its test says nothing, and it is to be started again.
 */
function blindFunction(): Script {
  return sh`nginx_is_blind() {
      for seen in "$1" $(ls -d /etc/botgarden/tls/*/current 2>/dev/null); do
        docker exec ${nginxContainer} test -e "$seen" || { runs=crashing; return 0; }
      done
      return 1
    }`
}

/** A check plans a name's first certificate before it is there: any other pair stands in for it in the test. */
function certificateFor(): Script {
  return sh`
      pair=$(sed -n 's/^ *ssl_certificate \(.*\)\/fullchain.pem;/\1/p' "$tree/nginx.conf" | head -n 1)
      [ -e "$pair/fullchain.pem" ] || {
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -subj /CN=candidate -keyout "$tree/privkey.pem" -out "$tree/fullchain.pem" 2>/dev/null
        sed -i "s#^\( *ssl_certificate[a-z_]*\) $pair/#\1 $tree/#" "$tree/nginx.conf"
      }`
}

/**
 * Shell text: `nginx_files FOLDER` is the checksum of the files that nginx reads there, `nginx_checksum FOLDER` that of all
 * it reads, certificates included; `nginx_whole FOLDER` says whether a generation is as it was laid out; `nginx_says` is
 * the checksum of what the server runs, `nginx_answers` gives it three seconds to say something.
 */
function checksum(): Script {
  return sh`
    ${waiting}
    nginx_files() {
      (cd "\${1:?a folder}" && find . -type f ! -name '.*' ! -name checksum.conf -exec sha256sum {} + | LC_ALL=C sort -k 2) | sha256sum
    }
    nginx_checksum() {
      { nginx_files "$1"; cat /etc/botgarden/tls/*/current/fullchain.pem 2>/dev/null; } | sha256sum | cut -c 1-16
    }
    nginx_says() { curl --silent --max-time "\${1:-5}" --unix-socket ${nginxStatus} http://localhost/config; }
    nginx_answers() {
      begin_wait 3
      while time_left; do
        [ -z "$(nginx_says "$left")" ] || return 0
        sleep 0.1
      done
      return 1
    }
    nginx_whole() {
      [ -s "$1/checksum.conf" ] && [ "$(nginx_files "$1")" = "$(cat "$1/.files" 2>/dev/null)" ]
    }`
}
