import { when } from '../model/combinators.ts'
import { optDir, runDir, stateDir } from '../model/host-layout.ts'
import { oneValue } from '../model/kinds.ts'
import { type Kind, type Reading, reading } from '../model/reading.ts'
import { becomes, type Prediction, type Resource, resource } from '../model/resource.ts'
import { type FileOptions, file } from '../resources/file.ts'
import { fileState, textOf } from '../resources/file-state.ts'
import { waiting } from '../shell/deadline.ts'
import { type Script, sh } from '../shell/sh.ts'
import { shellFile } from '../shell/shell-file.ts'

/** The container that terminates TLS for all bots. Of its files, `conf` is the wanted configuration, `running` the one in use. */
export const nginxContainer = 'botgarden-nginx'
export const nginxFolder = `${optDir}/nginx`
export const nginxStatus = `${runDir}/nginx/status.sock`
/** The web root for ACME challenges, which nginx serves on port 80. */
export const acmeWebroot = `${stateDir}/acme`

/**
 * Shell functions: `nginx_files FOLDER` is the checksum of the files that nginx reads there, `nginx_checksum FOLDER` that of
 * all it reads, certificates included; `nginx_whole FOLDER` says whether a generation is as it was laid out; `nginx_says` is
 * the checksum of what the server runs, `nginx_answers` gives it three seconds to say something.
 */
export const nginxChecksums = shellFile(new URL('nginx-checksum.sh', import.meta.url))
const reload = shellFile(new URL('nginx-reload.sh', import.meta.url))
/**
 * `nginx_is_blind FILE`: whether the server, whose test has failed, cannot see this file or the certificates: the folders that
 * it has mounted are gone. Its test then means nothing, and it must be restarted.
 */
const blind = shellFile(new URL('nginx-blind.sh', import.meta.url))
const took = shellFile(new URL('nginx-took.sh', import.meta.url))

export interface NginxState {
  /** `running` is a copy of what is in `conf` now. */
  readonly current: boolean
  /** The files that it runs are complete: after a power cut they can be there and empty. */
  readonly whole: boolean
  /** The server says on its own socket that it has loaded what is in `conf`, and the current certificates. */
  readonly inForce: boolean
}

export const nginxState: Reading<NginxState | 'absent'> = reading(
  {
    name: 'nginx',
    volatile: true,
    cost: 60,
    script: () => sh`
      [ ! -e ${nginxFolder}/running ] || {
        ${waiting}
        ${nginxChecksums}
        wanted=$(nginx_checksum ${nginxFolder}/conf)
        echo "wanted $wanted"
        echo "running $(readlink ${nginxFolder}/running)"
        ! nginx_whole ${nginxFolder}/running || echo 'whole yes'
        # One that was started a moment ago is waited for.
        says=$(nginx_says)
        if [ -z "$says" ] && [ "$(docker container inspect --format '{{.State.Running}}' ${nginxContainer} 2>/dev/null)" = true ]; then
          nginx_answers
          says=$(nginx_says)
        fi
        echo "answers $says"
      }`,
    parse: oneValue((output) => {
      const of = (word: string) => new RegExp(`^${word} (.+)$`, 'm').exec(output)?.[1]
      const wanted = of('wanted')
      if (wanted === undefined) return 'absent'
      return {
        current: of('running') === `generations/${wanted}`,
        whole: of('whole') === 'yes',
        inForce: of('answers') === wanted,
      }
    }),
  } satisfies Kind<NginxState | 'absent'>,
  'config',
)

/**
 * A file of nginx's configuration, by its path in `conf`: the whole configuration with it has passed nginx's own test, for which
 * `beside` writes other files that the same run plans, into `$tree`. A content function needs `wants`.
 */
export function nginxFile(path: string, content: FileOptions['content'], wants?: string, beside = sh`:`): Resource {
  return file(`${nginxFolder}/conf/${path}`, {
    content,
    ...(wants !== undefined && { wants }),
    validate: { tool: 'docker', script: (candidate) => sh`${testWith(path, candidate, beside)}` },
    predicts: [outdated],
  })
}

const sitesLine = '    include sites/*.conf;\n'

/** What the routes of all bots refer to: a name that no bot has. */
export const commonFile = 'sites/_common.conf'
export const commonState = fileState(`${nginxFolder}/conf/${commonFile}`)

/** Whether nginx.conf reads the files in `sites`, which are at the level of http. It does from the first bot on that has one. */
export function readsSites(nginxConf: string | undefined): boolean {
  return nginxConf?.includes(sitesLine) === true
}

/** The text of nginx.conf, where the last line closes http, with the line that reads these files. */
export function withSites(nginxConf: string): string {
  return readsSites(nginxConf) ? nginxConf : nginxConf.replace(/\}\n$/, `\n${sitesLine}}\n`)
}

/** Shell text: has a copy of nginx.conf read them; `path` is written between double quotes. */
export function includeSites(path: string): Script {
  const text = `grep -qxF '${sitesLine.trimEnd()}' "${path}" || sed -i '$s#^}#${sitesLine.trimEnd()}\\n}#' "${path}"`
  return { text, shown: text }
}

/** nginx.conf reads the files in `sites`; not planned before the role of nginx has written it. */
export function sitesRead(): Resource {
  const text = textOf(`${nginxFolder}/conf/nginx.conf`)
  const inner = nginxFile('nginx.conf', (current) => withSites(current ?? ''), 'sites')
  return when([text], (read) => read(text) !== undefined, { ...inner, id: 'nginx:sites' })
}

/** The configuration in `conf` differs from the running one. */
export const outdated: Prediction = becomes(nginxState, (now) =>
  now === 'absent' ? now : { ...now, current: false, inForce: false },
)

/** The server runs the configuration in `conf`; where it refuses it, it keeps the one before, and the run reports why. */
export function nginxReloaded(): Resource {
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
  return { ...inner, runsLast: true }
}

/**
 * Shell text: `nginx_reload` makes the running server load what is in `conf`, if all of it passes the test; what
 * runs is a copy, so that an untested file never keeps the server from starting. It waits until the server has loaded it.
 */
export function reloadFunction(): Script {
  const files = [waiting, nginxChecksums, reload, blind, took].map(({ text }) => text.replace(/^(?=.)/gm, '    '))
  // certbot's files on hosts hold this text: with other blanks or line breaks they would be changed there.
  const text = ['', '    ', '    ', ...files].join('\n')
  return { text, shown: text }
}

/** Has the server reload; a function, since it is text that others put into theirs. */
export const nginxReload: Script = {
  text: `${reloadFunction().text}\nnginx_reload`,
  shown: 'nginx -t; nginx -s reload',
}

/** nginx's own test of everything in `conf`, with one file as it will be; skipped where no server runs. */
function testWith(path: string, candidate: Script, beside: Script): Script {
  return sh`
    [ "$(docker container inspect --format '{{.State.Running}}' ${nginxContainer} 2>/dev/null)" != true ] || (
      tree=$(mktemp -d ${runDir}/nginx/candidate.XXXXXX)
      trap 'rm -rf "$tree"' EXIT
      cp -R ${nginxFolder}/conf/. "$tree/"
      mkdir -p "$tree/$(dirname ${path})"
      ${beside}
      cat ${candidate} >"$tree/"${path}
      echo 'return 200 candidate;' >"$tree/checksum.conf"
      ${certificateFor()}
      ${blind}
      said=$(docker exec ${nginxContainer} nginx -t -q -c "$tree/nginx.conf" 2>&1) || nginx_is_blind "$tree/nginx.conf" || {
        printf '%s\n' "$said" | sed "s#$tree/#${nginxFolder}/conf/#g"
        exit 1
      }
    )`
}

/** A check plans a name's first certificate before it is there: the test uses another pair in its place. */
function certificateFor(): Script {
  return sh`
      for used in "$tree/nginx.conf" "$tree"/sites/*.conf; do
        [ -e "$used" ] || continue
        sed -n 's/^ *ssl_certificate \(.*\)\/fullchain.pem;/\1/p' "$used" | while read -r pair; do
          [ ! -e "$pair/fullchain.pem" ] || continue
          [ -e "$tree/fullchain.pem" ] ||
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -subj /CN=candidate -keyout "$tree/privkey.pem" -out "$tree/fullchain.pem" 2>/dev/null
          sed -i "s#^\( *ssl_certificate[a-z_]*\) $pair/#\1 $tree/#" "$used"
        done
      done`
}
