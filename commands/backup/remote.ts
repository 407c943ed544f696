import * as v from 'valibot'
import { sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { HostError } from '../../lib/std/errors.ts'
import { type BackupName, newestFirst, parseBackupName } from '../../roles/backups/backup-name.ts'
import { signatureFile } from '../../roles/backups/manifest.ts'
import { backupDir, programDir, signingKey } from '../../roles/backups/paths.ts'
import { parseStatus, type RunStatus, statusScript } from '../../roles/backups/run-status.ts'
import { parseKey } from './signature.ts'

/** The backups of a host, as the host lists them. */
export interface HostBackups {
  /** The clock of the host, in milliseconds since 1970. */
  readonly now: number
  /** The last run for the whole host; undefined where there was none. */
  readonly status: RunStatus | undefined
  /** The public half of its signing key; undefined where it has none. */
  readonly signer: string | undefined
  readonly backups: readonly HostBackup[]
}

export interface HostBackup extends BackupName {
  /** The text of its manifest, not checked. */
  readonly manifest: string
  readonly signed: boolean
}

/**
 * Takes a backup on the host, of one database if it is named, after waiting for a running one. It runs in a transient unit,
 * so it ends even if the connection is lost. Returns the status of the run; throws a `HostError` if it could not be started.
 */
export async function takeBackup(connection: Connection, only?: string): Promise<RunStatus> {
  const status = `${programDir}/status${only === undefined ? '' : `-${only}`}.json`
  const options = ['--wait', ...(only === undefined ? [] : ['--only', only])]
  const output = await ask(
    connection,
    sh`
      [ -x ${`${programDir}/backup`} ] || { echo absent; exit; }
      before=$(cat ${status} 2>/dev/null)
      systemd-run --quiet --wait --collect --unit="botgarden-backup-$$" ${`${programDir}/backup`} ${options} && echo ok || echo failed
      # An unchanged status is that of an earlier run.
      [ "$(cat ${status} 2>/dev/null)" = "$before" ] || { ${statusScript(status)}; }`,
  )
  const end = output.indexOf('\n')
  const word = output.slice(0, end)
  if (word === 'absent') throw new HostError('the role backups has not been applied to this host yet: run site.ts')
  const parseLine = parseRunStatus(output.slice(end + 1))
  if (parseLine === undefined || parseLine.result === 'running' || (word === 'ok') !== (parseLine.result === 'ok'))
    throw new HostError(`the backup could not be started: ${output.trim()}; see journalctl -n 50 on the host`)
  return parseLine
}

/** Asks a host for its backups, the newest first, and for its last run. Throws a `HostError` for an answer that cannot be parsed. */
export async function listRemote(connection: Connection): Promise<HostBackups> {
  const output = await ask(
    connection,
    sh`
      status=$(${statusScript(`${programDir}/status.json`)})
      signer=$(ssh-keygen -y -P '' -f ${signingKey} </dev/null 2>/dev/null) || signer=
      jq -n -c --arg now "$(date +%s)" --arg signer "$signer" --arg status "$status" '{now: ($now | tonumber), signer: $signer, status: $status}' 2>/dev/null ||
        printf '{"now": %s}\n' "$(date +%s)"
      cd ${backupDir} 2>/dev/null || exit 0
      for name in [0-9]*Z [0-9]*Z-*; do
        [ -d "$name" ] || continue
        [ -f "$name/"${signatureFile} ] && signed=true || signed=false
        { cat "$name/manifest.json" 2>/dev/null || :; } | jq -R -s -c --arg name "$name" --argjson signed "$signed" '{name: $name, signed: $signed, manifest: .}'
      done`,
  )
  const [head = '', ...rows] = output.trim().split('\n')
  const { now, signer = '', status = '' } = parseReply(headSchema, head)
  const backups = rows.flatMap((row) => {
    const { name, ...rest } = parseReply(rowSchema, row)
    const known = parseBackupName(name)
    return known === undefined ? [] : [{ ...known, ...rest }]
  })
  return {
    ...{ now: now * 1000, status: parseRunStatus(status), signer: parseKey(signer) },
    backups: backups.sort(newestFirst),
  }
}

const headSchema = v.object({ now: v.number(), signer: v.optional(v.string()), status: v.optional(v.string()) })
const rowSchema = v.object({ name: v.string(), signed: v.boolean(), manifest: v.string() })

function parseReply<T extends v.GenericSchema>(schema: T, line: string): v.InferOutput<T> {
  try {
    return v.parse(schema, JSON.parse(line))
  } catch (error) {
    throw new HostError(`its list of backups cannot be parsed: ${line.slice(0, 200)}`, { cause: error })
  }
}

function parseRunStatus(text: string): RunStatus | undefined {
  try {
    return parseStatus(text)
  } catch (error) {
    throw new HostError(`${programDir}/status.json: ${(error as Error).message}`, { cause: error })
  }
}
