import { becomes, type Resource } from '../../lib/model/resource.ts'
import { aptPackage } from '../../lib/resources/package.ts'
import { runningUnit, unitState } from '../../lib/resources/unit.ts'

/** What the other roles and an operator at night count on; cloud images lack one or the other. */
const essential = ['ca-certificates', 'cron', 'curl', 'tzdata']

/** Its install script does; whoever writes crontabs counts on it. */
const startsCron = [becomes(unitState('cron.service'), runningUnit)]

export function packages(own: readonly string[]): Resource[] {
  return [...new Set([...essential, ...own])].map((name) => aptPackage(name, name === 'cron' ? startsCron : []))
}
