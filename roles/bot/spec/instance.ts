/** A bot with its allocation on a host. */
export interface BotInstance {
  readonly bot: string
  readonly number: number
  /** The first two numbers of the networks of bots: `10.210`. */
  readonly base: string
  readonly telegram: string
  /** Where the world reaches its host: `https://bots.example.org`. */
  readonly origin: string
  /** Names of its own, where its routes are instead of the name of the host. */
  readonly domains?: readonly string[]
  /** Its host is reached by IPv6. */
  readonly ipv6?: boolean
  /** A file of the host with all authorities that the bot is to trust. */
  readonly caFile?: string
  /** Its host is one of a pair: what serves is started by the gate. */
  readonly gated?: true
  /** What the replicas of a bot need of their host. */
  readonly swarm?: {
    /** In bytes, of what goes through the mesh. */
    readonly mtu: number
    /** The image of nginx, which hands requests to them. */
    readonly router: string
  }
}
