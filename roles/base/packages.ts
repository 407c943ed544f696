import { becomes, type Resource } from '../../lib/model/resource.ts'
import { aptPackage } from '../../lib/resources/package.ts'
import { runningUnit, unitState } from '../../lib/resources/unit.ts'

/** Packages that other roles and operators rely on; some cloud images lack some of them. */
const essential = ['ca-certificates', 'cron', 'curl', 'tzdata']

/** The install script of cron starts it, and resources that write crontabs rely on that. */
const startsCron = [becomes(unitState('cron.service'), runningUnit)]

export function packages(own: readonly string[]): Resource[] {
  return [...new Set([...essential, ...own])].map((name) => aptPackage(name, name === 'cron' ? startsCron : []))
}
