import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  addressOf,
  contextArchivePath,
  databaseAddressOf,
  databaseSubnet,
  imageArchivePath,
  otherColour,
  uploadedDumpPath,
} from '../../../../roles/bot/spec/layout.ts'

test('each has an address of its own in the network of a bot and the server', () => {
  assert.equal(
    (['gateway', 'blue', 'green', 'server'] as const).map((who) => databaseAddressOf('10.210', 5, who)),
    ['10.213.5.1', '10.213.5.2', '10.213.5.3', '10.213.5.4'],
  )
  // It begins anew behind 255.
  assert.equal([databaseSubnet('10.210', 5), databaseSubnet('10.254', 5)], ['10.213.5.0/28', '10.1.5.0/28'])
})

test('the colours have addresses of their own, and take turns', () => {
  assert.equal([addressOf('10.210', 5, 'blue'), addressOf('10.210', 5, 'green')], ['10.210.5.2', '10.210.5.3'])
  assert.equal([otherColour('blue'), otherColour('green')], ['green', 'blue'])
})

test('uploads are named after what they were made from', () => {
  const checksum = '0123456789abcdef'
  assert.equal(
    [imageArchivePath({ checksum }), contextArchivePath({ checksum }), uploadedDumpPath(checksum)],
    ['tar.gz', 'context.tar.gz', 'import'].map((end) => `/var/lib/botgarden/incoming/0123456789ab.${end}`),
  )
})

test.run()
