/** The official images that hosts run, each at an exact version: the one place where they are bumped. As of 2026-11. */
export const images = {
  postgres: 'postgres:18.6',
  nginx: 'nginx:1.30.6',
  valkey: 'valkey/valkey:8.1.11',
  redis: 'redis:8.2.3',
} as const
