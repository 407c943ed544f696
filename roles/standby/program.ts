import { secretsDir, stateDir } from '../../lib/model/host-layout.ts'
import { meshFile } from '../../lib/model/mesh.ts'
import type { Resource } from '../../lib/model/resource.ts'
import { postgresContainer } from '../../lib/platform/postgres-client.ts'
import { gatePort, gateProgram, gateRun, gateState, pairKey } from '../../lib/platform/standby/gate.ts'
import { file } from '../../lib/resources/file.ts'
import { lines, type Script, sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'
import { primaryRecordPath } from './primary-record.ts'

/** A host of a pair, as its gate has to know it. */
export interface GateSettings {
  readonly host: string
  readonly peer: string
  /** The address of the peer in the mesh. */
  readonly peerMesh: string
  /** Where the world reaches each of them: `https://vps1.example.org`. */
  readonly ownOrigin: string
  readonly peerOrigin: string
  readonly telegram: string
  /** The folder of the cluster that the server runs on. */
  readonly cluster: string
}

export const header = '# Written by botgarden; changes made here are overwritten.'

/** The programs on the host: the gate, and what answers its peer. */
export function programs(settings: GateSettings): Resource[] {
  return [program('gate', gateScript(settings)), program('answer', answerScript(settings))]
}

function settingsText({ host, peer, peerMesh, ownOrigin, peerOrigin, telegram, cluster }: GateSettings): Script {
  return sh`host=${host} peer=${peer} peer_mesh=${peerMesh} port=${gatePort}
      own_origin=${ownOrigin} peer_origin=${peerOrigin} telegram=${telegram}
      record=${primaryRecordPath} key=${pairKey} run=${gateRun} state=${gateState} mesh_file=${meshFile}
      bots=${`${stateDir}/bots`} secrets=${`${secretsDir}/bots`}
      cluster=${cluster} server=${postgresContainer}`
}

export function gateScript(settings: GateSettings): Script {
  return lines([
    sh`set -u; export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    settingsText(settings),
    shellFile(new URL('gate.sh', import.meta.url)),
  ])
}

export function answerScript({ host }: Pick<GateSettings, 'host'>): Script {
  return lines([
    sh`set -u; export LC_ALL=C`,
    sh`host=${host} record=${primaryRecordPath} key=${pairKey}`,
    shellFile(new URL('answer.sh', import.meta.url)),
  ])
}

function program(name: string, { text }: Script): Resource {
  return file(`${gateProgram}/${name}`, {
    content: `#!/bin/sh\n${header}\n${text}\n`,
    mode: '0700',
    validate: { tool: 'sh', script: (path) => sh`sh -n ${path}` },
  })
}
