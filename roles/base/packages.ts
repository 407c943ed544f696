import { aptPackage } from '../../lib/package.ts'
import type { Resource } from '../../lib/resource.ts'

/** What the other roles and an operator at night count on; cloud images lack one or the other. */
const essential = ['ca-certificates', 'cron', 'curl', 'tzdata']

export function packages(own: readonly string[]): Resource[] {
  return [...new Set([...essential, ...own])].map((name) => aptPackage(name))
}
