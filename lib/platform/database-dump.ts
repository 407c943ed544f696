import { stateDir } from '../model/host-layout.ts'
import { shellFile } from '../shell/shell-file.ts'

/** Where databases are dumped to before something changes them, a folder each bot. */
export const dumpsFolder = `${stateDir}/dumps`
/** Where the last dump of a bot goes that is removed. */
export const removedFolder = `${stateDir}/removed`

/**
 * Shell text: `take_dump DATABASE FOLDER PREFIX [KEPT]` dumps a database to a file of its own, and names it in `taken`. It
 * counts once it was read to its end and is on the disk. With KEPT only that many stay of the folder's dumps with the prefix.
 */
export const dumpFunction = shellFile(new URL('database-dump.sh', import.meta.url))
