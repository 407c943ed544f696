// What a first install of a bare host costs, in what can be counted: package transactions, pulls, and stages, each of which
// reads everything again.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { resourcesOf } from '../../lib/engine/collect-resources.ts'
import { nextStage, planAll } from '../../lib/engine/plan.ts'
import { stepsOf } from '../../lib/engine/step.ts'
import { runningUnit } from '../../lib/resources/unit.ts'
import { backups, base, bot, certbot, docker, nginx, postgres, ufw } from '../../roles/index.ts'
import { entry, facts } from '../support/fake-host.ts'
import { stateOf } from '../support/plan-of.ts'

const roles = [base, ufw, docker, postgres, nginx, certbot, bot, backups]
const recipients = ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p']
const vars = Object.fromEntries(
  roles.map(({ name, vars }) => [name, v.parse(vars, name === 'backups' ? { recipients } : {})]),
)
const { resources } = resourcesOf(roles, vars, facts, { ...entry, domain: 'b.example.org' })
const stages = stagesOf(
  stateOf(resources, {
    'sshd:config': {
      files: { '/etc/ssh/sshd_config': 'Include /etc/ssh/sshd_config.d/*.conf\n' },
      alone: {},
      whole: {
        ...{ port: ['22'], listenaddress: ['0.0.0.0:22'], permitrootlogin: ['yes'], pubkeyauthentication: ['yes'] },
        ...{ passwordauthentication: ['yes'], authenticationmethods: ['any'] },
      },
    },
    'user:root': { uid: 0, home: '/root', homeThere: true, shell: '/bin/bash', password: 'locked', groups: ['root'] },
    'keys:root': [
      { path: '/root/.ssh/authorized_keys', own: true, directory: '0700 root', file: '0600 root', keys: [] },
    ],
    ...Object.fromEntries(
      ['ssh.service', 'systemd-journald.service', 'apt-daily.timer', 'apt-daily-upgrade.timer'].map((name) => [
        `unit:${name}`,
        runningUnit,
      ]),
    ),
    'ufw:state': { settings: {}, rules: [], differences: [], containers: { ipv4: [], ipv6: [] }, obstacles: [] },
    ...{
      'allocations:bots': {},
      'releases:bots': {},
      'releases:moved': [],
      'routes:ipv4': [],
      'token-owners:bots': {},
    },
  }),
)

test('all packages are one transaction, and all images are pulled side by side', () => {
  const batches = stages.flat().filter(({ changes }) => changes[0]?.change.batch !== undefined)
  assert.equal(
    batches.map(({ changes }) => changes.map(({ id }) => id.replace(/:.*/, ''))),
    [Array(21).fill('package'), ['image', 'image']],
  )
})

test('it takes three stages: up to the login and the firewall, those under their guard, and the rest', () => {
  assert.equal(
    stages.map((steps) => [...new Set(steps.flatMap(({ guards }) => guards.map(({ name }) => name)))]),
    [[], ['sshd', 'ufw'], []],
  )
})

test.run()

/** The steps of each stage, where every change does what it says. */
function stagesOf(state: Map<string, unknown>): ReturnType<typeof stepsOf>[] {
  const stage = nextStage(planAll(resources, state))
  if (stage.length === 0) return []
  const now = new Map(state)
  for (const prediction of stage.flatMap(({ change }) => change.predicts ?? []))
    if ('after' in prediction && now.has(prediction.key))
      now.set(
        prediction.key,
        prediction.after(now.get(prediction.key), ({ key }) => now.get(key) as never),
      )
  return [stepsOf(stage), ...stagesOf(now)]
}
