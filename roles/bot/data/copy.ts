import { type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { dataOf } from './layout.ts'

/** Shell functions: `data_copies`, `name_copy`, which sets `$data_name`, and `prune_copies`, of the data of a bot in `$data`. */
export function copiesFunctions(bot: string): Script {
  return sh`
    data=${dataOf(bot).all}
    ${copies}`
}

/**
 * Shell functions: `room_for_copy`, `copy_data`, which sets `$copy`, and `put_back_data`. Where they are called no container may
 * write to the data.
 */
export function copyFunctions(bot: string): Script {
  return sh`
    ${copiesFunctions(bot)}
    ${functions}`
}

const copies = shellFile(new URL('copies.sh', import.meta.url))
const functions = shellFile(new URL('copy.sh', import.meta.url))
