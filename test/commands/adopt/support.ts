import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { type AdoptedBot, botIn } from '../../../commands/adopt/decide/bot.ts'
import { openRepository } from '../../../commands/adopt/read/repository.ts'
import { manifestOf } from '../../../commands/adopt/write/manifest.ts'
import type { BotManifest } from '../../../roles/bot/spec/schema.ts'

export type Files = Readonly<Record<string, string | Buffer>>

const root = mkdtempSync(join(tmpdir(), 'botgarden-adopt.'))
process.once('exit', () => rmSync(root, { recursive: true, force: true }))

/** A folder with these files. */
export function repository(files: Files): string {
  const folder = mkdtempSync(join(root, 'repository-'))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  return folder
}

/** What is made of a repository with these files, as the bot "shop". */
export function adopted(files: Files): { bot: AdoptedBot; text: string; manifest: BotManifest; notes: string } {
  const bot = botIn(openRepository(repository(files)), 'shop')
  const { text, notes } = manifestOf(bot)
  return { bot, text, manifest: parse(text) ?? {}, notes: [...notes, ...bot.notes].join('\n') }
}
