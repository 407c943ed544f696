import { type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { dataOf } from './layout.ts'

/**
 * Shell functions: `room_for_copy`, `copy_data`, which sets `$copy`, and `put_back_data`. They are of the data of a bot whose
 * containers are stopped.
 */
export function copyFunctions(bot: string): Script {
  return sh`
    data=${dataOf(bot).all}
    ${functions}`
}

const functions = shellFile(new URL('copy.sh', import.meta.url))
