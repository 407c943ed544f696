/** What a host is. Read with the first bytes of a connection; constant during a run. */
export interface Facts {
  /** `debian`, `ubuntu`: ID of os-release. */
  readonly os: string
  /** VERSION_ID of os-release: `13`, `24.04`. */
  readonly version: string
  readonly osName: string
  /** Debian's name of it: `amd64`, `arm64`. */
  readonly architecture: string
  readonly memoryMiB: number
  readonly cpus: number
  /** What kind of container the host is, or '' for a machine with a kernel of its own. */
  readonly container: string
  /** Has an address that others reach by IPv6. */
  readonly ipv6: boolean
  readonly addresses: readonly string[]
  /** The IPv4 address of its default route; '' where it has none. */
  readonly address: string
  /** The name servers that it asks and that Docker gives to containers; none on its loopback, which they cannot reach. */
  readonly resolvers: readonly string[]
  /** cloud-init is still setting the host up. */
  readonly booting: boolean
  /** Timers of ours in systemd's folder: `botgarden-changes.timer`. A role whose timer is none of them has nothing to remove. */
  readonly timers: readonly string[]
  /** It is in a mesh, or was: a role that finds none has nothing to remove. */
  readonly mesh: boolean
  /** It is a node of a swarm of Docker's. */
  readonly swarm: boolean
  /** Who logged in, before sudo. */
  readonly user: string
  /** The port that this connection came in by, on the host. */
  readonly sshPort: number
  /** Where this connection came from, as the host sees it. */
  readonly clientAddress: string
}
