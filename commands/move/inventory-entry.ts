import { readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { editYaml, valueAt } from '../../lib/inventory/edit-yaml.ts'

/** Has the inventory name the host of a bot, and nothing else of it changes. Returns a line about that; undefined where it does already. */
export function nameHost(inventory: string, bot: string, host: string): string | undefined {
  const byHand = `${inventory}: set bots.${bot}.host to ${host} by hand`
  try {
    const file = realpathSync(inventory)
    const text = readFileSync(file, 'utf8')
    const path = ['bots', bot, 'host']
    if (valueAt(text, path) === host) return undefined
    const edited = editYaml(text, [{ path, value: host }])
    if (edited === undefined) return `${byHand}: it is written in a way that cannot be changed here`
    const draft = `${file}.${process.pid}.new`
    writeFileSync(draft, edited, { mode: statSync(file).mode & 0o777, flush: true })
    renameSync(draft, file)
    return `${inventory}: bots.${bot}.host is ${host} now`
  } catch (error) {
    return `${byHand}: ${(error as Error).message}`
  }
}
