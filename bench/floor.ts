/** Of each kind that site.ts reads, what the answer of `floor.sh` shows of it on a host with a bot that has nothing to change. */
export const signs: Readonly<Record<string, RegExp>> = {
  allocations: /\bhello-bot 1$/m,
  backups: /^\d{10}$/m,
  // Of a bot without a cache, and without data, there is nothing to tell.
  'cache-config': /^== file .* cache-config$/m,
  certificate: /^-----BEGIN PUBLIC KEY-----$/m,
  container: /"Name":"\/botgarden-nginx".*"RestartPolicy":[\s\S]*^inode \d+:\d+ \/proc\/\d+\/root\//m,
  data: /^== file .* data /m,
  'static-files': /^== file .* static-files$/m,
  // Of extensions a host knows by the records of its bots whether to ask for any.
  'database-contents': /\/current\.json[\s\S]*\{"id":/,
  facts: /^\/etc\/os-release:ID=debian$[\s\S]*^192\.0\.2\.1 via .* src /m,
  file: /^directory\|700\|root\|root\|0\|0\|\d+\|'\/var\/lib\/botgarden'$[\s\S]*^[0-9a-f]{64} .*\/secrets\/postgres\/superuser$/m,
  'free-capacity': /^\/proc\/meminfo:MemAvailable: [\s\S]*^ *\d+ \//m,
  image: /"RepoTags":\["nginx:/,
  // Of a bot without jobs there is nothing to tell.
  jobs: /^== left-files jobs /m,
  'kept-secrets': /^\/etc\/botgarden\/secrets\/bots\/[^/]+\/token f \d+ \d+/m,
  keys: /^authorizedkeysfile /m,
  'left-files': /^== left-files /m,
  lineage: /^server = https:\/\//m,
  network: /"com.docker.network.bridge.name":/,
  nginx: /\/nginx\/running\/nginx\.conf$[\s\S]*^== nginx\n[0-9a-f]+/m,
  'own-lineages': /\/etc\/letsencrypt\/renewal\/.*\.conf'$/m,
  package: /^docker\.io ok installed /m,
  'port-holders': /:443 .*"nginx",pid=\d+.* 0::\/|:443 .*"nginx",pid=\d+.*docker/m,
  // With its mark; or nobody's but the superuser's.
  postgres: /\["hello_bot", [^[]* null, true, |"roles" : \[\["postgres", [^[\]]*\]\]/,
  // Whether a bot has any a host knows by the records of its bots.
  'process-containers': /\/current\.json[\s\S]*\{"id":/,
  program: /^program dockerd$/m,
  record: /^==> .*\/releases <==\n\{"id":/m,
  releases: /\/current\.json[\s\S]*\{"id":/,
  renewal: /^ExecMainExitTimestamp=/m,
  routes: /^\/proc\/net\/route:Iface/m,
  served: /^CONNECTED[\s\S]*-----END CERTIFICATE-----/m,
  sshd: /^permitrootlogin [\s\S]*^permitrootlogin /m,
  swap: /^\/proc\/swaps:/m,
  sysctl: /^\/proc\/sys\/net\/ipv4\/conf\/all\/send_redirects:0$/m,
  test: /^pgpass bots\/[^/]+\/database-password /m,
  text: /\/opt\/botgarden\/nginx\/compose\.yaml/,
  'token-owners': /^token .*\/token \d+$/m,
  ufw: /^:ufw-user-input - [\s\S]*^### tuple ### allow /m,
  unit: /^Id=docker\.service$/m,
  user: /^\/etc\/passwd:root:[\s\S]*^\/etc\/shadow:root:\w+$/m,
  waiting: /^== package waiting$/m,
  webhook: /\/bots\/[^/]+\/webhook/,
}

/** What a host without a bot has nothing of. */
const ofBots = [
  'allocations',
  'database-contents',
  'kept-secrets',
  'network',
  'process-containers',
  'record',
  'releases',
  'test',
  'token-owners',
  'webhook',
]

/** The kinds of which an answer of the floor shows nothing. */
export function unanswered(answer: string, { bot }: { readonly bot: boolean }): string[] {
  return Object.keys(signs).filter((kind) => (bot || !ofBots.includes(kind)) && !signs[kind]?.test(answer))
}
