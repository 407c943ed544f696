export { failover, failoverFlags } from './failover.ts'
export { pairGiven } from './given.ts'
export { refuseRebuilt } from './rebuild.ts'
export { refuseFormerPrimary, releasing, withStandbys } from './runs.ts'
