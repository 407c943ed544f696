import { existsSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'

export const checkout = resolve(import.meta.dirname, '../..')

/** The folder that an operator's files are in; one a process, as there is one inventory. */
let folder = checkout

/** Has paths start at the folder of this inventory, where it is outside of this checkout. */
export function startPathsAt(inventory: string): void {
  const beside = dirname(resolve(inventory))
  folder = isOutside(beside) ? beside : checkout
}

/** The folder that paths of the inventory start at, absolute. */
export function operatorFolder(): string {
  return folder
}

/** A path of the inventory, absolute. What is not beside an inventory that is elsewhere may be a file of this checkout. */
export function localPath(path: string): string {
  const beside = resolve(folder, path)
  if (folder === checkout || existsSync(beside)) return beside
  const here = resolve(checkout, path)
  return existsSync(here) ? here : beside
}

function isOutside(path: string): boolean {
  const way = relative(checkout, path)
  return way === '..' || way.startsWith('../')
}
