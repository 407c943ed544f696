import { UsageError } from './errors.ts'

/** The whole seconds that an environment variable says, or the default where it is not set. */
export function envSeconds(name: string, otherwise: number): number {
  const text = process.env[name]
  if (text === undefined || text === '') return otherwise
  if (!/^\d{1,6}$/.test(text)) throw new UsageError(`$${name}: should be a whole number of seconds, found "${text}"`)
  return Number(text)
}
