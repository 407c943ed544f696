/** A container as far as its health goes. */
export interface ContainerHealth {
  /** `running`, `restarting`, `exited`, `created`, `paused`, `dead`. */
  readonly status: string
  /** `healthy`, `unhealthy`, `starting`; '' without a health check. */
  readonly health: string
  /** How often the engine has started it again after it ended by itself. */
  readonly restarts: number
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** In MiB; undefined where it does not run. */
  readonly memoryMB?: number
  /** In MiB; 0 without a limit. */
  readonly limitMB: number
  /** The kernel has killed something in it for memory, in the last hour or since it was started. */
  readonly outOfMemory: boolean
  readonly exitCode: number
}

/** What nginx has logged for a bot in the last hour. */
export interface Traffic {
  /** How much of that hour the log reaches back to. */
  readonly minutes: number
  /** Updates that were answered 2xx. */
  readonly delivered: number
  /** Answered 5xx: Telegram sends those again. */
  readonly failed: number
  /** Answered 4xx: strangers, or a secret that does not fit. */
  readonly refused: number
}

/** The webhook of a bot as Telegram has it. */
export type WebhookHealth =
  | 'unreachable'
  | 'refused'
  | {
      /** Whether the URL is the bot's own; 'none' where no webhook is set. */
      readonly url: 'own' | 'none' | 'foreign'
      readonly pending: number
      readonly error?: string
      /** When that error was, in milliseconds since 1970. */
      readonly errorAt?: number
    }

/** The last run of a job, in words. */
export interface JobHealth {
  readonly last: string
  readonly failed: boolean
}

/** A bot on its host. */
/** A bot that runs several times, on several hosts; its container is then what leads to them. */
export interface ReplicasHealth {
  readonly wanted: number
  /** The hosts that run one, each as often as it runs one. */
  readonly on: readonly string[]
}

export interface BotHealth {
  readonly name: string
  /** `absent`: never released. `torn`: the record cannot be read. */
  readonly release: 'absent' | 'torn' | { readonly id: string; readonly at?: number }
  readonly mode?: 'webhook' | 'polling' | 'none'
  readonly container: ContainerHealth | 'absent'
  readonly processes: Readonly<Record<string, ContainerHealth | 'absent'>>
  /** Left out where it runs on its host alone. */
  readonly replicas?: ReplicasHealth
  readonly traffic?: Traffic
  /** Left out where nobody was asked. */
  readonly webhook?: WebhookHealth
  readonly jobs: Readonly<Record<string, JobHealth>>
  readonly domains: readonly string[]
}

/** A bot that was moved from one host to another, by their names in the inventory. */
export interface MovedAway {
  readonly bot: string
  readonly serves: string
  readonly from: string
}

/** A host, without its bots. */
export interface HostHealth {
  /** Both clocks at the same moment, in milliseconds since 1970; `slack`: how long the answer was under way. */
  readonly clock: { readonly there: number; readonly here: number; readonly slack: number }
  readonly uptimeSeconds: number
  readonly cpus: number
  /** Of five minutes; left out of a host that is a container, which is told that of its machine. */
  readonly load?: number
  /** In MiB. */
  readonly memory: { readonly totalMB: number; readonly availableMB: number }
  /** In MiB, and shares of one. */
  readonly disks: readonly {
    readonly path: string
    readonly sizeMB: number
    readonly used: number
    readonly inodesUsed: number
  }[]
  /** The container engine answers. */
  readonly engine: boolean
  /** The server containers, by name. */
  readonly servers: Readonly<Record<string, ContainerHealth | 'absent'>>
  /** The default policy for incoming packets drops them; undefined where it cannot be told. */
  readonly firewall?: boolean
  readonly failedUnits: readonly string[]
  readonly connections?: { readonly used: number; readonly most: number }
  /** nginx runs what is in its folder. */
  readonly nginxInForce?: boolean
  /** By name, as served: the day it ends ('' where none is served), by whom ('' by itself), whether it is for another name. */
  readonly certificates: readonly {
    readonly name: string
    readonly ends: string
    readonly issuer: string
    readonly wrong: boolean
    /** An authority ought to have signed it: the host or a bot has a domain. */
    readonly signed: boolean
  }[]
  /** Undefined where the inventory wants none. */
  readonly backups?: {
    /** Milliseconds since 1970; undefined where there is none. */
    readonly there?: number
    readonly here?: number
    readonly failure?: string
  }
  /** The archive of WAL, in words, and what is wrong with it; undefined where the inventory wants none. */
  readonly archive?: { readonly line: string; readonly faults: readonly string[] }
  /** The database server of a pair, in words, and what is wrong with it; undefined where the inventory has no standby. */
  readonly pair?: { readonly line: string; readonly faults: readonly string[] }
  readonly heldUpdates: readonly string[]
  /** Why the last night's updates failed; left out where they did not. */
  readonly upgradeFault?: string
  readonly pendingReboot: readonly string[]
  readonly unknownBots: readonly string[]
  /** Bots that were moved away and have left here what they had; left out where there are none. */
  readonly movedBots?: readonly MovedAway[]
  /** The last check or run of site.ts from this machine. */
  readonly lastCheck?: { readonly at: number; readonly differences: readonly string[] }
}
