// The move of a database between two hosts of which one is lost; with two that are there it is run in test/faults/hosts/move.test.ts.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { moveDatabase } from '../../../commands/move/database.ts'
import type { Connection } from '../../../lib/ssh/connection.ts'
import { ConnectError } from '../../../lib/std/errors.ts'

const lost = {
  request: () => Promise.reject(new ConnectError('one: the connection was lost')),
} as unknown as Connection
const target = { name: 'one', ssh: 'root@127.0.0.1:1', sshConfig: undefined, acceptNew: false, fresh: true }

test('a host that is lost while its rows are summed is an error of the connection, and no bug', async () => {
  const unheard: unknown[] = []
  const hear = (error: unknown) => unheard.push(error)
  process.on('unhandledRejection', hear)
  const moved = moveDatabase({ from: target, to: target }, lost, lost, 'hello', 1)
  await moved.then(
    () => assert.unreachable('nothing was moved'),
    (error: unknown) => assert.instance(error, ConnectError),
  )
  process.off('unhandledRejection', hear)
  assert.equal(unheard, [])
})

test.run()
