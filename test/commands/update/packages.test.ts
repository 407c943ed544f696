import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { listsFetched, packagesUpgraded, parseUpgrades } from '../../../commands/update/packages/resource.ts'
import { planOf } from '../../support/plan-of.ts'

// Captured on Debian 13.
const simulated = `NOTE: This is only a simulation!
Reading package lists...
The following packages have been kept back:
  nano
Inst libssl3t64 [3.5.1-1+deb13u1] (3.5.4-1~deb13u1 Debian-Security:13/stable-security [amd64])
Inst docker.io [26.1.5+dfsg1-9+b11] (26.1.5+dfsg1-9+b12 Debian:13.5/stable [amd64]) []
Inst linux-image-6.12.60-amd64 (6.12.60-1 Debian-Security:13/stable-security [amd64])
Conf libssl3t64 (3.5.4-1~deb13u1 Debian-Security:13/stable-security [amd64])
`

test('what waits is read from a simulation: what is upgraded, and what comes new', () => {
  assert.equal(parseUpgrades(simulated), [
    { name: 'libssl3t64', from: '3.5.1-1+deb13u1', to: '3.5.4-1~deb13u1' },
    { name: 'docker.io', from: '26.1.5+dfsg1-9+b11', to: '26.1.5+dfsg1-9+b12' },
    { name: 'linux-image-6.12.60-amd64', from: undefined, to: '6.12.60-1' },
  ])
  assert.equal(parseUpgrades('E: Could not open lock file'), [])
})

test('lists are fetched where they are older than the run, and what waits then is upgraded', () => {
  const resources = [listsFetched(10), packagesUpgraded()]
  assert.equal(planOf(resources, { 'apt-lists:fetched': 9, 'upgrades:all': [] }), ['apt:lists: fetch'])
  assert.equal(planOf(resources, { 'apt-lists:fetched': 10, 'upgrades:all': [] }), [])
  const one = [{ name: 'docker.io', from: '1', to: '2' }]
  assert.equal(planOf(resources, { 'apt-lists:fetched': 10, 'upgrades:all': one }), [
    'apt:upgrades: upgrade 1 package: docker.io 2',
  ])
})

test.run()
