import { posix } from 'node:path'
import { type Script, sh } from './sh.ts'

export interface Installation {
  /** `USER:GROUP`, or other words of chown(1): `--reference FILE`. */
  readonly owner: string | Script
  /** Octal, four digits. */
  readonly mode: string
  /** Writes the whole content to the file "$candidate". */
  readonly write: Script
  /** Fails where the candidate must not be installed. */
  readonly check?: Script
  /**
   * The new file beside the old one. Its name is always the same, so that the next run overwrites what a power cut has left.
   * The default is for folders of ours; where programs read every file of a folder it must be a hidden one.
   */
  readonly candidate?: string
}

/**
 * Shell text that installs a file: content, owner and mode appear at once, are on the disk before, and a candidate that is
 * not accepted is removed. It sets `candidate` and the EXIT trap, and expects `set -e`.
 */
export function installFile(path: string, installation: Installation): Script {
  const { owner, mode, write, check = sh`:`, candidate = `${path}.new` } = installation
  return sh`
    candidate=${candidate}
    trap 'rm -f "$candidate"' EXIT
    rm -f "$candidate"
    (umask 077; ${write})
    chown ${owner} "$candidate"
    chmod ${mode} "$candidate"
    ${check}
    sync "$candidate"
    mv -fT "$candidate" ${path}`
}

/** A candidate for a folder that configuration is dropped into: daemons read no hidden file there. */
export function hiddenCandidate(path: string): string {
  return posix.join(posix.dirname(path), `.${posix.basename(path)}.botgarden`)
}
