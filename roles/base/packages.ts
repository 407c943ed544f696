import { aptPackage } from '../../lib/package.ts'
import { becomes, type Resource } from '../../lib/resource.ts'
import { runningUnit, unitState } from '../../lib/unit.ts'

/** What the other roles and an operator at night count on; cloud images lack one or the other. */
const essential = ['ca-certificates', 'cron', 'curl', 'tzdata']

/** Its install script does; whoever writes crontabs counts on it. */
const startsCron = [becomes(unitState('cron.service'), runningUnit)]

export function packages(own: readonly string[]): Resource[] {
  return [...new Set([...essential, ...own])].map((name) => aptPackage(name, name === 'cron' ? startsCron : []))
}
