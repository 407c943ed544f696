import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { publicName } from '../../../lib/platform/public-name.ts'
import { entry, facts } from '../../support/fake-host.ts'

test('a host is known by its domain, else by its address', () => {
  assert.equal(
    [publicName({ ...entry, domain: 'a.b' }, facts), publicName(entry, facts), publicName(entry, { address: '' })],
    ['a.b', facts.address, 'localhost'],
  )
})

test.run()
