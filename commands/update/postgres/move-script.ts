import { runDir } from '../../../lib/model/host-layout.ts'
import { postgresConf } from '../../../lib/platform/postgres-access.ts'
import { postgresContainer, postgresSocket } from '../../../lib/platform/postgres-client.ts'
import { composeFile } from '../../../lib/resources/compose.ts'
import { waiting } from '../../../lib/shell/deadline.ts'
import { lines, type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { clustersFolder, majorOf, owner, stagedMount } from '../../../roles/postgres/cluster.ts'
import { firstStart, type ServerVars, serverFolder, serverOf, serverSecrets } from '../../../roles/postgres/server.ts'
import { accessQuery, extensionQuery, lockQuery, ownerQuery, plainSession, spelling, sumsQuery } from './queries.ts'

const part = (name: string) => shellFile(new URL(`${name}.sh`, import.meta.url))
const functions = lines(['server', 'traffic', 'switch'].map(part))
const move = part('move')

/** The server of a new version, beside the one that serves. */
export const besideContainer = 'botgarden-postgres-beside'
/** In MiB: disk space that a move leaves free. */
export const reserve = 512
/** What a move works with, in memory. */
export const moveFolder = `${runDir}/postgres-move`

/** A change of the version that serves. */
export interface VersionChange {
  readonly from: number
  /** The server that is to serve, as the inventory has it. */
  readonly wanted: ServerVars
  readonly memoryMiB: number
}

/**
 * Shell text: moves every database to a cluster of the wanted version, beside the one that serves, and compares all rows. Only then
 * the new one takes its place, and the folder of the old one is renamed. The bots are stopped meanwhile.
 */
export function moveScript(change: VersionChange): Script {
  const to = majorOf(change.wanted.image)
  const { text } = sh`
    [ -d ${`${clustersFolder}/${change.from}`} ] || { echo ${`PostgreSQL ${change.from} does not serve any more: run it again`}; exit 1; }
    ${preparation(change)}
    decide() { mv -T "$data/$new.new" "$data/$new"; }
    undecide() { [ ! -d "$data/$new" ] || mv -T "$data/$new" "$data/$new.new"; }
    settle() { mv -T "$data/$old" "$data/$old.old"; }
    ${move}
    ${startBeside(change)}
    reserve=${reserve} lock_query=${lockQuery} sums_query=${sumsQuery} spelled=${spelling} extension_query=${extensionQuery} owner_query=${ownerQuery} access_query=${accessQuery}
    # What a run has left that was cut.
    docker rm -f --volumes "$beside" >/dev/null 2>&1 || :
    rm -rf "$data/$new.new"
    put_back
    [ "$(docker container inspect --format '{{.State.Running}}' "$server" 2>/dev/null)" = true ] || { networks=''; serve; }
    move
    docker stop --time 120 "$beside" >/dev/null
    docker rm -f --volumes "$beside" >/dev/null
    rm -rf "$data/$new.new/dumps"
    sync -f "$data"
    ${switchAndStart(to)}`
  return { text, shown: `pg_dump | pg_restore, from PostgreSQL ${change.from} to ${to}` }
}

/** Shell text: the cluster that was kept serves again, and what came after the move is laid aside. */
export function backScript(change: VersionChange): Script {
  const to = majorOf(change.wanted.image)
  const { text } = sh`
    ${preparation(change)}
    decide() {
      [ -d "$data/$new" ] || mv -T "$data/$new.old" "$data/$new"
      rm -rf "$data/$old.back"
      mv -T "$data/$old" "$data/$old.back"
    }
    undecide() {
      [ -d "$data/$old" ] || mv -T "$data/$old.back" "$data/$old"
      [ ! -d "$data/$new" ] || mv -T "$data/$new" "$data/$new.old"
    }
    settle() { :; }
    put_back
    stop_bots
    ${switchAndStart(to)}`
  return { text, shown: `PostgreSQL ${to} serves again` }
}

function switchAndStart(to: number): Script {
  return sh`
    switch_server
    trap - EXIT
    start_bots
    rm -rf "$work"
    echo ${`PostgreSQL ${to} serves, after `}"$(($(date +%s) - began)) s"`
}

/** Shell text: names, functions, and what happens when this script ends early. */
function preparation({ from, wanted, memoryMiB }: VersionChange): Script {
  const { config, project } = serverOf(wanted, memoryMiB)
  const file = (path: string, content: string) =>
    sh`printf %s ${Buffer.from(content).toString('base64')} | base64 -d >${path}.new; chmod 0644 ${path}.new; sync ${path}.new; mv -fT ${path}.new ${path}`
  return sh`
    old=${from} from=${from} new=${majorOf(wanted.image)} server=${postgresContainer} beside=${besideContainer}
    data=${clustersFolder} folder=${serverFolder} kept=${`${serverFolder}/before-${from}`} work=${moveFolder}
    plain=${plainSession} networks='' stopped='' switched='' lockers='' began=$(date +%s)
    ${waiting}
    ${functions}
    write_files() {
      ${file(`${postgresConf}/postgresql.conf`, config.text)}
      ${file(`${postgresConf}/pg_hba.conf`, config.hba)}
      ${file(`${serverFolder}/compose.yaml`, composeFile(project).text)}
      sync -f "$folder"
    }
    rm -rf "$work"
    (umask 077; mkdir -p "$work/conf/bots")
    trap revert_switch EXIT
    # A reboot sends TERM. Without a trap for it sh would not run the one of EXIT.
    trap 'exit 143' TERM`
}

/** The shell function that starts the server beside the old one, with its own configuration, as far as that is none of the network. */
function startBeside({ wanted, memoryMiB }: VersionChange): Script {
  const { image } = wanted
  const { config, project } = serverOf(wanted, memoryMiB)
  const major = majorOf(image)
  const { target, environment } = stagedMount(image, '')
  const limits = ['--memory', String(project.service.mem_limit), '--memory-swap', String(project.service.mem_limit)]
  const confined = ['--network', 'none', '--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges']
  const env = Object.entries({ PGPASSFILE: '/run/secrets/pgpass', ...environment }).flatMap(([name, value]) => [
    '--env',
    `${name}=${value}`,
  ])
  // Its volume is there from 18 on.
  const volume = major >= 18 ? ['--tmpfs', '/var/lib/postgresql:size=1m,mode=1777'] : []
  const mounts = [
    `source=${serverSecrets},target=/run/secrets,readonly`,
    `source=${postgresSocket},target=/run/before,readonly`,
    `source=${moveFolder}/conf,target=/etc/postgresql,readonly`,
    `source=${clustersFolder}/${major}.new,target=${target}`,
  ].flatMap((each) => ['--mount', `type=bind,${each}`])
  const quick = ['synchronous_commit=off', 'autovacuum=off'].flatMap((each) => ['-c', each])
  const conf = ['config_file=/etc/postgresql/postgresql.conf', 'hba_file=/etc/postgresql/pg_hba.conf']
  return sh`
    dumps=${`${target}/dumps`}
    start_beside() {
      printf %s ${Buffer.from(config.text).toString('base64')} | base64 -d >"$work/conf/postgresql.conf"
      # Nobody reaches it but by its container.
      echo 'local all all trust' >"$work/conf/pg_hba.conf"
      chown -R ${owner}:${owner} "$work/conf"
      chmod 0711 "$work"
      docker run --detach --name "$beside" ${confined} --user ${`${owner}:${owner}`} ${limits} --pids-limit 200 --shm-size 128m \
        --tmpfs /tmp:size=64m,mode=1777 --tmpfs ${`/run/postgresql:mode=0775,uid=${owner},gid=${owner}`} ${volume} ${mounts} ${env} \
        --entrypoint /bin/sh ${image} -euc ${firstStart.replaceAll('$$', '$')} postgres ${conf.flatMap((each) => ['-c', each])} ${quick} >/dev/null
      await_server "$beside"
    }`
}
