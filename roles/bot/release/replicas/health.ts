import { sh } from '../../../../lib/shell/sh.ts'
import { shellFile } from '../../../../lib/shell/shell-file.ts'

const functions = shellFile(new URL('healthy.sh', import.meta.url))

/** What a replica runs in itself to say whether it is ready: by whatever its image has. No host can ask it at an address. */
export function healthCommand(port: number, path: string): string {
  const { text } = sh`port=${port} path=${path}
${functions}`
  return text
}

/** Prints the first tool of an image that can ask; nothing where there is none. */
export const healthTools = 'for tool in curl wget bash node python3; do ! command -v "$tool" || exit 0; done'
