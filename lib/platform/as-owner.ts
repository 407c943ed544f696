import { shellFile } from '../shell/shell-file.ts'

/** Shell function `as_owner FOLDER COMMAND…`: runs a command as the user who owns a folder, which it finds at /mnt. */
export const asOwner = shellFile(new URL('as-owner.sh', import.meta.url))
