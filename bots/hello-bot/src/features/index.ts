import { Composer } from 'grammy'
import type { BotContext } from '../context.ts'
import { count } from './count.ts'
import { fallback } from './fallback.ts'
import { help } from './help.ts'
import { start } from './start.ts'
import { stats } from './stats.ts'

/** In the order they are asked: the fallback answers what nobody else has taken. */
export const allFeatures = new Composer<BotContext>(start, help, stats, count, fallback)
