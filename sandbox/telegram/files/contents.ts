import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What is in the files that bots and people have sent, by their file_unique_id. */
export interface Contents {
  put(id: string, content: Buffer): Promise<void>
  /** Undefined where it is not kept any more. */
  get(id: string): Promise<Buffer | undefined>
  drop(id: string): Promise<void>
}

/** Kept in a folder, or without one in memory. */
export function contentsIn(folder: string | undefined): Contents {
  return folder === undefined ? inMemory() : inFolder(folder)
}

function inMemory(): Contents {
  const kept = new Map<string, Buffer>()
  return {
    put: async (id, content) => void kept.set(id, content),
    get: async (id) => kept.get(id),
    drop: async (id) => void kept.delete(id),
  }
}

function inFolder(folder: string): Contents {
  return {
    async put(id, content) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await writeFile(join(folder, id), content, { mode: 0o600 })
    },
    get: (id) => readFile(join(folder, id)).catch(() => undefined),
    drop: (id) => rm(join(folder, id), { force: true }),
  }
}
