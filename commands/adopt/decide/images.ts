/** What a published image is, as far as it concerns a bot. */
export type ImageKind =
  | 'postgres'
  | 'cache'
  | 'mysql'
  | 'mongo'
  | 'queue'
  | 'proxy'
  | 'tunnel'
  | 'bot-api'
  | 'backup'
  | 'pooler'
  | 'store'
  | 'search'
  | 'monitoring'
  | 'admin'
  | 'updater'
  | 'browser'
  | 'scheduler'

const kinds: readonly (readonly [ImageKind, RegExp])[] = [
  ['admin', /pgadmin|adminer|mongo-express|redis-?insight|redis-?commander|phpmyadmin|pgweb|portainer|flower|dozzle/],
  ['monitoring', /prometheus|grafana|loki|promtail|jaeger|tempo|alloy|exporter|cadvisor|sentry|uptime|netdata|vector$/],
  ['backup', /backup|barman|wal-g/],
  ['pooler', /pgbouncer|pgpool|odyssey/],
  ['postgres', /postg(res|is)|pgvector|timescale|postgresql/],
  ['cache', /redis|valkey|keydb|dragonfly|memcached/],
  ['mysql', /mysql|mariadb|percona/],
  ['mongo', /mongo/],
  ['queue', /rabbitmq|nats|kafka|redpanda|zookeeper|mosquitto|emqx|activemq/],
  ['proxy', /nginx|traefik|caddy|haproxy|envoy|certbot|acme|swag/],
  ['tunnel', /ngrok|cloudflared|localtunnel|frp/],
  ['scheduler', /ofelia|chadburn|swarm-cronjob|supercronic|docker-cron|crontab/],
  ['bot-api', /telegram-bot-api/],
  ['store', /minio|seaweedfs|garage/],
  ['search', /elasticsearch|opensearch|meilisearch|typesense|qdrant|weaviate|milvus|chroma|clickhouse|cassandra|neo4j/],
  ['updater', /watchtower|autoheal|ouroboros/],
  ['browser', /selenium|browserless|chrome|splash|flaresolverr/],
]

export function imageKind(image: string): ImageKind | undefined {
  const name = image
    .replace(/@.*$/, '')
    .replace(/:[^/]*$/, '')
    .toLowerCase()
  // The registry's host name says nothing.
  const path = /^[^/]*[.:][^/]*\//.test(name) ? name.slice(name.indexOf('/') + 1) : name
  return kinds.find(([, pattern]) => pattern.test(path))?.[0]
}

/** What to do about a service that stands beside a bot elsewhere; undefined where botgarden has it. */
export const adviceFor: Readonly<Record<ImageKind, string | undefined>> = {
  postgres: undefined,
  cache: undefined,
  mysql: 'botgarden has PostgreSQL. Move the bot to it, or name a MySQL server elsewhere by variables',
  mongo: 'botgarden has PostgreSQL. Name a MongoDB server elsewhere (its URL is a secret of the bot), or move the bot',
  queue: 'there is none here. Name one elsewhere by variables; many libraries take Redis instead: "cache: valkey"',
  proxy: 'nginx of the host does that, with its certificate: leave it out',
  tunnel: 'not needed: the host is in reach of Telegram',
  'bot-api':
    'botgarden runs no Bot API server. Name one elsewhere as "vars: { bot: { telegram: URL } }" of the inventory',
  backup: 'backups of the host have the database, the data and the cache: see docs/backups.md',
  pooler: 'not needed: "database: { connections: N }" is the size of the pool',
  store: 'there is none here: a folder under "data:", or a store elsewhere by variables',
  search: 'there is none here: name a server elsewhere by variables',
  monitoring: 'not a part of the bot: see "Monitoring" in docs/PLAN.md',
  admin: 'not run here: psql over ssh, as docs/PLAN.md shows',
  updater: 'not needed: bot.ts brings new versions',
  scheduler: 'systemd of the host starts what is under "jobs:" at its times: leave it out',
  browser: 'there is none here: a browser in the image of the bot itself, or one elsewhere',
}
