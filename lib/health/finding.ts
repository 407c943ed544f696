/** How soon somebody has to act: `error` now, `warning` in the next days, `note` when it suits. */
export type Level = 'error' | 'warning' | 'note'

/** Something about a host or a bot that is not as it should be. */
export interface Finding {
  readonly level: Level
  /** What kind of thing it is, the same each time: `disk`, `webhook-url`. */
  readonly id: string
  /** Left out: it is about the host. */
  readonly bot?: string
  /** What is wrong, with its number, in one line. */
  readonly what: string
  /** The command to type next. */
  readonly next: string
}

/** Whether a person is needed: a note alone needs nobody. */
export function needsPerson(findings: readonly Finding[]): boolean {
  return findings.some(({ level }) => level !== 'note')
}

/** The most urgent first; else in the order given. */
export function byUrgency<F extends Finding>(findings: readonly F[]): F[] {
  const order: readonly Level[] = ['error', 'warning', 'note']
  return findings.toSorted((one, other) => order.indexOf(one.level) - order.indexOf(other.level))
}

/** How the commands of findings are typed. */
export interface Commands {
  /** `site`, `bot`, … with what follows it: `npx zx playbooks/site.ts -i inventory/production.yaml --check`. */
  playbook(name: string, more?: string): string
  /** Removes a bot from this host, whether the inventory has it or not. */
  removal(bot: string): string
  /** A command on the host itself. */
  onHost(command: string): string
}
