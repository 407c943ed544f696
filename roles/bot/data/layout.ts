import { botFolders } from '../spec/layout.ts'
import type { Spec } from '../spec/spec.ts'

/** Where the data of a bot is on its host: `current`, copies from before releases and restores beside it. */
export function dataOf(bot: string): { readonly all: string; readonly current: string } {
  const all = `${botFolders.data}/${bot}`
  return { all, current: `${all}/current` }
}

/** The name of the folder on the host for one in the container: `app=data` for /app/data. No path has an equals sign. */
export function folderName(path: string): string {
  return path.slice(1).replaceAll('/', '=')
}

/** The folder on the host that a container has at this path. */
export function dataFolder(bot: string, path: string): string {
  return `${dataOf(bot).current}/${folderName(path)}`
}

type DataOf = Pick<Spec, 'data' | 'sharedData'>

/** Whether these two versions must not run at the same time, since both write to the data. */
export function writesAlone(spec: DataOf, old: DataOf | undefined): boolean {
  return hasOneWriter(spec) || (old !== undefined && hasOneWriter(old))
}

/** Whether only one version may run at a time, since two would write to the same files. */
export function hasOneWriter({ data = [], sharedData }: DataOf): boolean {
  return data.length > 0 && sharedData !== true
}
