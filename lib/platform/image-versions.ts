/** The official images that hosts run, each at an exact version: the one place where they are bumped. As of 2026-11. */
export const images = {
  postgres: 'postgres:18.6',
  nginx: 'nginx:1.30.6',
} as const
