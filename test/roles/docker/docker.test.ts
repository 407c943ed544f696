import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import type { Resource } from '../../../lib/model/resource.ts'
import { runningUnit } from '../../../lib/resources/unit.ts'
import { daemonSettings, mergedDaemonJson } from '../../../roles/docker/daemon.ts'
import { docker } from '../../../roles/docker/index.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { planOf } from '../../support/plan-of.ts'
import { sha256 } from '../../support/sha256.ts'

const role = (vars: unknown = {}, os = 'debian') =>
  docker.resources(v.parse(docker.vars, vars), { ...facts, os }, entry)
const installed = { version: '26.1.5' }
const folder = { type: 'directory', mode: '0755', owner: 'root', group: 'root' }
const wantedJson = mergedDaemonJson(daemonSettings(undefined))(undefined)

test('installs the engine on a bare host, and knows what it will have been started with', () => {
  assert.equal(planOf(role(), {}), [
    'package:containerd: install',
    'package:docker.io: install',
    'package:docker-cli: install',
    'package:docker-compose: install',
    'package:docker-buildx: install',
    'directory:/etc/docker: comes-with package:docker.io',
    'directory:/etc/systemd/system/docker.service.d: create',
    'file:/etc/systemd/system/docker.service.d/botgarden.conf: create',
    'file:/etc/docker/daemon.json: create',
    'unit:containerd.service: comes-with package:containerd',
    'unit:docker.service: comes-with package:docker.io',
    'docker:config: restart the daemon with its new configuration',
  ])
})

test('an engine whose first start came before its drop-in is started again, since it noted nothing', () => {
  const { 'unit:docker.service': _unit, 'package:docker.io': _package, ...rest } = built()
  const bare = { 'file:/etc/systemd/system/docker.service.d/botgarden.conf': 'absent' }
  assert.equal(planOf(role(), { ...rest, ...bare, 'text:/run/botgarden/docker.started-with': undefined }), [
    'package:docker.io: install',
    'file:/etc/systemd/system/docker.service.d/botgarden.conf: create',
    'unit:docker.service: comes-with package:docker.io',
    'docker:config: restart the daemon with its new configuration',
  ])
})

test('an engine that comes back to its old files notes them at its first start, and is not started again', () => {
  const gone = {
    'package:docker.io': 'absent',
    'unit:docker.service': { load: 'not-found', active: 'inactive', enabled: '' },
  }
  assert.equal(planOf(role(), { ...built(), ...gone, 'text:/run/botgarden/docker.started-with': undefined }), [
    'package:docker.io: install',
    'unit:docker.service: comes-with package:docker.io',
  ])
})

test('plans nothing on a built host', () => {
  assert.equal(planOf(role(), built()), [])
})

test('restarts the daemon only where it runs another configuration', () => {
  assert.equal(planOf(role(), { ...built(), 'text:/run/botgarden/docker.started-with': 'other\n' }), [
    'docker:config: restart the daemon with its new configuration',
  ])
  assert.equal(planOf(role({ registryMirrors: ['http://mirror.test:5000'] }), built()), [
    'file:/etc/docker/daemon.json: content',
    'docker:config: restart the daemon with its new configuration',
  ])
})

test('starts a stopped daemon without restarting it', () => {
  const state = { ...built(), 'unit:docker.service': { ...runningUnit, active: 'inactive' } }
  assert.equal(planOf(role(), { ...state, 'text:/run/botgarden/docker.started-with': undefined }), [
    'unit:docker.service: start',
  ])
})

test('uses a docker-ce that is there, and completes it from where it came', () => {
  const packages = ['containerd', 'docker.io', 'docker-cli', 'docker-compose', 'docker-buildx']
  const state = {
    ...built(),
    ...Object.fromEntries(packages.map((name) => [`package:${name}`, 'absent'])),
    ...Object.fromEntries(
      ['containerd.io', 'docker-ce', 'docker-ce-cli'].map((name) => [`package:${name}`, installed]),
    ),
  }
  assert.equal(planOf(role(), state), ['package:docker-compose: install', 'package:docker-buildx: install'])
  assert.equal(
    planOf(role(), { ...state, 'package:docker-compose-plugin': installed, 'package:docker-buildx-plugin': installed }),
    [],
  )
})

test('does not put its engine over parts of another', () => {
  assert.throws(
    () => planOf(role(), { 'package:containerd.io': installed }),
    /containerd.io is installed without docker-ce/,
  )
})

test("knows Ubuntu's names of the packages", () => {
  const ids = role({}, 'ubuntu').map(({ id }: Resource) => id)
  assert.ok(ids.includes('package:docker-compose-v2'))
  assert.not(ids.includes('package:docker-cli'))
})

test('keeps what others wrote into daemon.json, and the very text where nothing is missing', () => {
  const merge = mergedDaemonJson({ 'live-restore': true })
  assert.equal(JSON.parse(merge('{"debug": true, "live-restore": false}')), { debug: true, 'live-restore': true })
  assert.is(merge('{"live-restore":true}'), '{"live-restore":true}')
})

test('refuses to guess what a broken daemon.json meant', () => {
  assert.throws(() => mergedDaemonJson({})('{"debug": true,}'), /daemon.json is not JSON/)
  assert.throws(() => mergedDaemonJson({})('[]'), /daemon.json is not JSON: not an object/)
})

/** A host that is as wanted. */
function built(): Record<string, unknown> {
  const checksum = sha256(wantedJson)
  const file = { type: 'file', mode: '0644', owner: 'root', group: 'root' }
  const dropIn = '/etc/systemd/system/docker.service.d/botgarden.conf'
  const dropInFile = role().find(({ id }) => id === `file:${dropIn}`)
  return {
    'file:/etc/systemd/system/docker.service.d': folder,
    'file:/etc/docker': folder,
    [`file:${dropIn}`]: { ...file, sha256: contentHash(dropInFile) },
    'file:/etc/docker/daemon.json': { ...file, sha256: checksum },
    'text:/etc/docker/daemon.json': wantedJson,
    'text:/run/botgarden/docker.started-with': `${checksum}\n`,
    'unit:docker.service': runningUnit,
    'unit:containerd.service': runningUnit,
    ...Object.fromEntries(
      ['containerd', 'docker.io', 'docker-cli', 'docker-compose', 'docker-buildx'].map((name) => [
        `package:${name}`,
        installed,
      ]),
    ),
  }
}

function contentHash(resource: Resource | undefined): string {
  const { content } = (resource?.wants ?? {}) as { content: string }
  return sha256(content)
}

test.run()
