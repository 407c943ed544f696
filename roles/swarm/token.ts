import { sh } from '../../lib/shell/sh.ts'

/** Prints on a manager by what others join: managers, and workers. */
export const tokenScript = sh`
  docker swarm join-token --quiet manager
  docker swarm join-token --quiet worker`
