import { gunzipSync } from 'node:zlib'
import { lineEach } from '../model/kinds.ts'
import { type Kind, type Reading, reading } from '../model/reading.ts'
import { sh } from '../shell/sh.ts'
import { HostError } from '../std/errors.ts'
import { sha256Of } from '../std/sha256.ts'

/** What is at a path; links are not followed. */
export type FileState =
  | 'absent'
  | {
      /** `file`, `directory`, `symbolic link`, … */
      readonly type: string
      /** Octal, four digits. */
      readonly mode: string
      readonly owner: string
      readonly group: string
      /** The numbers of both, for owners that only a container knows by name. */
      readonly uid?: number
      readonly gid?: number
      /** Of regular files only, hexadecimal. */
      readonly sha256?: string
    }

export function fileState(path: string): Reading<FileState> {
  return reading(files, path)
}

/** Whether a file is there and empty, as a full disk or a power cut leaves it. */
export function isEmpty(state: FileState): boolean {
  return state !== 'absent' && state.sha256 === sha256OfNothing
}

const sha256OfNothing = sha256Of('')

/** The text of a file, undefined where there is none. Not UTF-8, or more than 256 KiB, is a `HostError`. */
export function textOf(path: string): Reading<string | undefined> {
  return reading(texts, path)
}

/** Whether a program is there to be run. */
export function programExists(name: string): Reading<boolean> {
  return reading(programs, name)
}

const programs: Kind<boolean> = {
  name: 'program',
  script: (names) => sh`for name in ${names}; do command -v "$name" >/dev/null && echo yes || echo no; done`,
  parse: lineEach((line) => line === 'yes'),
}

const files: Kind<FileState> = {
  name: 'file',
  script: (paths) => sh`
    stat --printf 'state %F|%a|%U|%G|%u|%g|%n\0' -- ${paths} 2>&1
    sha256sum --zero -- ${paths} 2>/dev/null`,
  parse: (output, paths) => {
    const states = new Map<string, FileState>(paths.map((path) => [path, 'absent']))
    for (const record of output.split('\0')) parseRecord(record, states)
    return states
  },
}

/** The greatest size of a file whose text is read, in bytes. */
const largest = 262144

const texts: Kind<string | undefined> = {
  name: 'text',
  cost: 30,
  // A few processes for all. Where a file has changed while they ran, each is read by itself.
  script: (paths) => sh`
    set --
    for path in ${paths}; do
      if [ -f "$path" ]; then set -- "$@" "$path"; echo file; else echo none; fi
    done
    small() { find -L "$@" -maxdepth 0 -size -${largest + 1}c -print0; }
    state() { stat -L --format 'size %s' -- "$@"; small "$@" | xargs -0 -r sha256sum -- | cut -c 1-64; }
    before=$(state "$@")
    texts=$(small "$@" | xargs -0 -r cat -- | gzip --fast --no-name | base64 --wrap=0)
    if [ $# = 0 ]; then :
    elif [ "$(state "$@")" = "$before" ]; then printf '%s\n' "$before" "$texts"
    else
      for path; do
        text=$(head -c ${largest + 1} -- "$path" | base64 --wrap=0) && echo "text $text"
      done
    fi`,
  parse: parseTexts,
}

function parseRecord(record: string, states: Map<string, FileState>): void {
  // Errors of stat come before the next record; a missing file is not an error.
  const [complaints = '', rest = ''] = splitComplaints(record)
  const serious = complaints
    .split('\n')
    .find((line) => line && !/: (No such file or directory|Not a directory)$/.test(line))
  if (serious) throw new HostError(`cannot be read: ${serious}`)

  const [, sha256, summed = ''] = rest.match(/^([0-9a-f]{64}) {2}(.*)$/s) ?? []
  const [, type, mode, owner, group, uid, gid, path = ''] =
    rest.match(/^state ([^|]+)\|(\d+)\|([^|]+)\|([^|]+)\|(\d+)\|(\d+)\|(.*)$/s) ?? []
  if (type && mode && owner && group) {
    const attributes = { mode: mode.padStart(4, '0'), owner, group, uid: Number(uid), gid: Number(gid) }
    states.set(path, { type: type.replace(/^regular (empty )?/, ''), ...attributes })
  }
  const known = states.get(summed)
  if (sha256 && known && known !== 'absent' && known.type === 'file') states.set(summed, { ...known, sha256 })
}

function splitComplaints(record: string): string[] {
  const [complaints = ''] = record.match(/^(stat: .*\n)*/) ?? []
  return [complaints, record.slice(complaints.length)]
}

/**
 * First `file` or `none` for each path; of the files then the size of each, the checksum of each that is not too large, and the
 * texts of these, one after the other, zipped, as base64; or for each file the word `text` and its text as base64.
 */
function parseTexts(output: string, paths: readonly string[]): Map<string, string | undefined> {
  const lines = output.trimEnd().split('\n')
  const single = lines.flatMap((line) => /^text (.*)$/.exec(line)?.[1] ?? [])
  const next = single.length > 0 ? () => Buffer.from(single.shift() ?? '', 'base64') : packed(lines)
  return new Map(
    paths.map((path, i) => {
      if (lines[i] !== 'file') return [path, undefined]
      const bytes = next()
      if (bytes === 'torn') throw new HostError(`${path}: changed while it was read: run again`)
      if (bytes.length > largest)
        throw new HostError(`${path}: is larger than 256 KiB, too large for a file that we edit: move it away`)
      return [path, decoded(bytes, path)]
    }),
  )
}

/** The files of a packed answer in order; of one that is too large some bytes of the same number. */
function packed(lines: readonly string[]): () => Buffer | 'torn' {
  const sizes = lines.flatMap((line) => /^size (\d+)$/.exec(line)?.[1] ?? []).map(Number)
  const sums = lines.filter((line) => /^[0-9a-f]{64}$/.test(line))
  const zipped = Buffer.from(lines.at(-1) ?? '', 'base64')
  const all = zipped.length === 0 || sums.length === 0 ? Buffer.alloc(0) : gunzipSync(zipped)
  let at = 0
  return () => {
    const size = sizes.shift() ?? 0
    if (size > largest) return Buffer.alloc(largest + 1)
    const bytes = all.subarray(at, at + size)
    at += size
    return sha256Of(bytes) === sums.shift() ? bytes : 'torn'
  }
}

function decoded(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new HostError(`${path}: is not UTF-8 text, and would be damaged when it is written: move it away`)
  }
}
