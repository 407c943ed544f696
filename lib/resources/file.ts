import { becomes, type Change, type Prediction, type Resource, resource } from '../model/resource.ts'
import { hiddenCandidate, installFile } from '../shell/install-file.ts'
import { type Script, sh } from '../shell/sh.ts'
import { HostError } from '../std/errors.ts'
import { sha256Of } from '../std/sha256.ts'
import { fileDiff } from '../std/unified-diff.ts'
import { type FileState, fileState, programExists, textOf } from './file-state.ts'

export interface FileOptions {
  /** The whole text, or a function from the text that is there, for a file that others write to as well. */
  readonly content: string | ((current: string | undefined) => string)
  /** What the result of a content function depends on: two resources of one path are compared by it. */
  readonly wants?: unknown
  /** Octal, four digits. */
  readonly mode?: string
  readonly owner?: string
  readonly group?: string
  /**
   * Checks the candidate with the tool that will read it; the old file stays where it fails. `--check` does so only where the
   * tool is already installed.
   */
  readonly validate?: { readonly tool: string; readonly script: (path: Script) => Script }
  /** What else changes with the content: a daemon that now runs an old config. */
  readonly predicts?: readonly Prediction[]
  /** Runs after the rename, in the same step. */
  readonly afterwards?: Script
}

/** A regular file with this content, mode and owner, all of which appear at once. */
export function file(path: string, options: FileOptions): Resource {
  const { mode = '0644', owner = 'root', group = 'root' } = options
  const text = textOf(path)
  return resource({
    id: `file:${path}`,
    wants: {
      mode,
      owner,
      group,
      content: typeof options.content === 'string' ? options.content : (options.wants ?? options.content),
    },
    // Every file needs a tool here; the shell, which is always there, means none.
    reads: { now: fileState(path), text, tool: programExists(options.validate?.tool ?? 'sh') },
    plan: ({ now, text: current, tool }) => {
      refuseDirectory(path, now)
      const content = typeof options.content === 'string' ? options.content : options.content(current)
      const sha256 = sha256Of(content)
      const attributes = now === 'absent' ? [] : attributeChanges(now, { mode, owner, group })
      const after: FileState = { type: 'file', mode, owner, group, sha256 }
      const predicts = [becomes(fileState(path), after), becomes(text, content), ...(options.predicts ?? [])]

      if (now !== 'absent' && now.type === 'file' && now.sha256 === sha256) {
        if (attributes.length === 0) return []
        const script = sh`chown ${`${owner}:${group}`} ${path}; chmod ${mode} ${path}`
        return [
          { summary: attributes.join(', '), script, predicts: predicts.slice(0, 1), diff: () => attributes.join('\n') },
        ]
      }
      return [
        {
          summary: summaryOf(now, attributes),
          script: writeScript(path, content, { ...options, mode, owner, group }),
          diff: () => [fileDiff(path, current, content), ...attributes].join('\n'),
          predicts,
          ...(options.validate && tool && { validation: validationScript(content, options.validate) }),
        },
      ]
    },
  })
}

/** No file and no link at this path. */
export function absentFile(path: string): Resource {
  return resource({
    id: `file:${path}`,
    wants: 'absent',
    reads: { now: fileState(path), text: textOf(path) },
    plan: ({ now, text }) => {
      if (now === 'absent') return []
      refuseDirectory(path, now)
      return [
        {
          summary: 'remove',
          script: sh`rm -f ${path}`,
          diff: () => fileDiff(path, text, undefined),
          predicts: [becomes(fileState(path), 'absent' as const), becomes(textOf(path), undefined)],
        },
      ]
    },
  })
}

/** A directory with this mode and owner; its parents must be there. */
export function directory(path: string, { mode = '0755', owner = 'root', group = 'root' } = {}): Resource {
  return resource({
    id: `directory:${path}`,
    wants: { mode, owner, group },
    reads: { now: fileState(path) },
    plan: ({ now }): Change[] => {
      const predicts = [becomes(fileState(path), { type: 'directory', mode, owner, group } as const)]
      if (now === 'absent') {
        const script = sh`[ -d ${path} ] || mkdir -m 0700 ${path}; chown ${`${owner}:${group}`} ${path}; chmod ${mode} ${path}`
        return [{ summary: 'create', script, predicts }]
      }
      if (now.type !== 'directory')
        throw new HostError(`${path}: should be a directory and is a ${now.type}: move it away`)
      const attributes = attributeChanges(now, { mode, owner, group })
      if (attributes.length === 0) return []
      const script = sh`chown ${`${owner}:${group}`} ${path}; chmod ${mode} ${path}`
      return [{ summary: attributes.join(', '), script, predicts, diff: () => attributes.join('\n') }]
    },
  })
}

/** What a package does that ships this directory. */
export function shipsDirectory(path: string): Prediction {
  const shipped = { type: 'directory', mode: '0755', owner: 'root', group: 'root' } as const
  return becomes(fileState(path), (before) => (before === 'absent' ? shipped : before))
}

function writeScript(
  path: string,
  content: string,
  options: FileOptions & { mode: string; owner: string; group: string },
) {
  const candidate = hiddenCandidate(path)
  const { owner, group, mode, validate } = options
  const encoded = Buffer.from(content).toString('base64')
  const write = sh`printf %s ${encoded} | base64 -d | tee "$candidate" >/dev/null`
  const check = validate?.script(sh`"$candidate"`)
  const { text } = sh`
    ${installFile(path, { owner: `${owner}:${group}`, mode, write, candidate, ...(check && { check }) })}
    ${options.afterwards ?? sh`:`}`
  // The content is shown by --diff, not by an error.
  return { text, shown: [`write ${path}`, validate?.script(sh`${candidate}`).shown].filter(Boolean).join('; ') }
}

function validationScript(content: string, { script }: NonNullable<FileOptions['validate']>): Script {
  const proof = script(sh`"$dir/candidate"`)
  const { text } = sh`
    printf %s ${Buffer.from(content).toString('base64')} | base64 -d >"$dir/candidate"
    ${proof}`
  return { text, shown: proof.shown }
}

export function attributeChanges(
  now: Exclude<FileState, 'absent'>,
  wanted: { mode: string; owner: string; group: string },
): string[] {
  const owned = isOwner(wanted.owner, now.owner, now.uid) && isOwner(wanted.group, now.group, now.gid)
  return [
    ...(now.mode === wanted.mode ? [] : [`mode ${now.mode} → ${wanted.mode}`]),
    ...(owned ? [] : [`owner ${now.owner}:${now.group} → ${wanted.owner}:${wanted.group}`]),
  ]
}

/** By name, or by number, which only a container may have a name for. */
function isOwner(wanted: string, name: string, id: number | undefined): boolean {
  return wanted === name || wanted === String(id)
}

function summaryOf(now: FileState, attributes: string[]): string {
  if (now === 'absent') return 'create'
  return now.type === 'file' ? ['content', ...attributes].join(', ') : `replace a ${now.type}`
}

function refuseDirectory(path: string, now: FileState): void {
  if (now !== 'absent' && now.type === 'directory')
    throw new HostError(`${path}: should be a file and is a directory: move it away`)
}
