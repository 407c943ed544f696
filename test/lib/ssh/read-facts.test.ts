import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseFacts, refuseUnsupported } from '../../../lib/ssh/read-facts.ts'
import { facts } from '../../support/fake-host.ts'

test('facts that are missing, and systems that are not supported', () => {
  const login = { user: 'root', sshPort: 22, clientAddress: '1' }
  assert.throws(
    () => parseFacts('os=debian\n', login),
    /^HostError: |the facts of this host cannot be read: no version among its facts\nos=debian/,
  )
  const { osName } = facts
  assert.not.throws(() => refuseUnsupported(facts))
  assert.throws(
    () => refuseUnsupported({ ...facts, version: '12' }),
    new RegExp(
      `${osName.replace(/[()/]/g, '.')} is not supported: it has no Compose v2\\. Debian 13 is, and Ubuntu 24\\.04, which is untried: upgrade the host, or take a new one$`,
    ),
  )
  assert.throws(() => refuseUnsupported({ ...facts, os: 'ubuntu', version: '22.04' }), /is not supported\. Debian 13/)
})

test.run()
