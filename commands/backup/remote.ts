import * as v from 'valibot'
import { sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { HostError } from '../../lib/std/errors.ts'
import { type Name, newestFirst, parseName } from '../../roles/backups/backup-name.ts'
import { signatureFile } from '../../roles/backups/manifest.ts'
import { backupDir, programDir, signingKey } from '../../roles/backups/paths.ts'
import { parseStatus, type Status, statusScript } from '../../roles/backups/run-status.ts'
import { parseKey } from './signature.ts'

/** What a host says of its backups. */
export interface HostBackups {
  /** The host's clock, in milliseconds. */
  readonly now: number
  /** Of the last run for the whole host. */
  readonly status: Status | undefined
  /** The public half of the key that it signs with. */
  readonly signer: string | undefined
  readonly backups: readonly HostBackup[]
}

export interface HostBackup extends Name {
  /** The text of its manifest, whatever that is. */
  readonly manifest: string
  readonly signed: boolean
}

/**
 * Takes a backup, of one database if it is named, and waits for one that is under way. In a transient unit: it ends whatever
 * becomes of the connection. The status tells how it went.
 */
export async function take(connection: Connection, only?: string): Promise<Status> {
  const status = `${programDir}/status${only === undefined ? '' : `-${only}`}.json`
  const options = ['--wait', ...(only === undefined ? [] : ['--only', only])]
  const output = await ask(
    connection,
    sh`
      [ -x ${`${programDir}/backup`} ] || { echo absent; exit; }
      before=$(cat ${status} 2>/dev/null)
      systemd-run --quiet --wait --collect --unit="botgarden-backup-$$" ${`${programDir}/backup`} ${options} && echo ok || echo failed
      # One that is as it was speaks of another run.
      [ "$(cat ${status} 2>/dev/null)" = "$before" ] || { ${statusScript(status)}; }`,
  )
  const end = output.indexOf('\n')
  const word = output.slice(0, end)
  if (word === 'absent') throw new HostError('the role backups has not been applied to this host yet: run site.ts')
  const parseLine = parsed(output.slice(end + 1))
  if (parseLine === undefined || parseLine.result === 'running' || (word === 'ok') !== (parseLine.result === 'ok'))
    throw new HostError(`a backup could not even begin: ${output.trim()}; see journalctl -n 50 on the host`)
  return parseLine
}

/** Its good backups, the newest first, and the last run. */
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
  const { now, signer = '', status = '' } = told(headSchema, head)
  const backups = rows.flatMap((row) => {
    const { name, ...rest } = told(rowSchema, row)
    const known = parseName(name)
    return known === undefined ? [] : [{ ...known, ...rest }]
  })
  return {
    ...{ now: now * 1000, status: parsed(status), signer: parseKey(signer) },
    backups: backups.sort(newestFirst),
  }
}

const headSchema = v.object({ now: v.number(), signer: v.optional(v.string()), status: v.optional(v.string()) })
const rowSchema = v.object({ name: v.string(), signed: v.boolean(), manifest: v.string() })

function told<T extends v.GenericSchema>(schema: T, line: string): v.InferOutput<T> {
  try {
    return v.parse(schema, JSON.parse(line))
  } catch (error) {
    throw new HostError(`what it says of its backups cannot be read: ${line.slice(0, 200)}`, { cause: error })
  }
}

function parsed(text: string): Status | undefined {
  try {
    return parseStatus(text)
  } catch (error) {
    throw new HostError(`${programDir}/status.json: ${(error as Error).message}`, { cause: error })
  }
}
