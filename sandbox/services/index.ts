import { existsSync } from 'node:fs'
import { paths } from '../machine/paths.ts'
import type { Progress } from '../machine/progress.ts'
import { together } from '../machine/together.ts'
import { pebblePart, writeAuthority } from './pebble.ts'
import { mirrorPart } from './registry.ts'
import { ensurePart } from './service.ts'
import { botApi, telegramIsHere, writeTelegramAuthority } from './telegram.ts'

/** The services beside the VPSs. */
export const partNames: readonly string[] = ['mirror', 'pebble', ...(telegramIsHere ? ['telegram'] : [])]

/** Makes sure of every part; the first one is the name server of the others, and of the VPSs. */
export async function ensureParts(nameServer: string, progress: Progress): Promise<void> {
  const [mirror, pebble] = [mirrorPart(nameServer), pebblePart(nameServer)]
  await together([mirror, pebble, ...(telegramIsHere ? [botApi] : [])].map(({ image }) => image(progress)))
  await ensurePart(mirror, progress)
  const started = await ensurePart(pebble, progress)
  if (started || !existsSync(paths.acmeCa)) await writeAuthority(progress)
  if (!telegramIsHere) return
  const renewed = await ensurePart(botApi, progress)
  if (renewed || !existsSync(paths.telegramCa)) await writeTelegramAuthority()
}
