import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseReadings } from '../../../lib/engine/read.ts'
import { lastBackup } from '../../../roles/backups/last-backup.ts'
import { parseStatus } from '../../../roles/backups/run-status.ts'

const whole = JSON.stringify({
  ...{ format: 1, result: 'ok', at: '2026-11-25T03:17:00Z', seconds: 3, reason: '', warnings: [] },
  ...{ lastGood: '2026-11-25T031700Z', bytes: 1000 },
})

for (const torn of [whole.slice(0, 40), 'null', '{}', '[]', '\0\0\0', '{"format":2}'])
  test(`a status that is torn is a doubt that is told, and stops nothing: ${JSON.stringify(torn)}`, () => {
    const resource = lastBackup('17 3 * * *')
    const state = parseReadings(resource.reads, new Map([['backups', Buffer.from(`1764040000\n${torn}`)]]))
    const told = resource.outputs?.(<S>({ key }: { key: string }) => state.get(key) as S)
    assert.equal(told?.backups, [
      '/opt/botgarden/backups/status.json cannot be parsed: the result of the last run is unknown; the next run rewrites it',
    ])
    assert.is(parseStatus(torn)?.warnings.length, 1)
  })

test('a status that is whole, or none yet, is no doubt', () => {
  assert.equal(parseStatus(whole)?.warnings, [])
  assert.is(parseStatus(''), undefined)
})

test.run()
