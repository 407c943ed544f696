import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { changeDiff } from '../../../lib/engine/change-diff.ts'
import { fileDiff } from '../../../lib/std/unified-diff.ts'

const cases: [summary: string, diff: (() => string) | undefined, lines: string[]][] = [
  ['mode 0600 → 0644, owner a:a → b:b', undefined, ['- mode 0600', '+ mode 0644', '- owner a:a', '+ owner b:b']],
  ['/home/a: 0755 root → 0700 a', undefined, ['- /home/a: 0755 root', '+ /home/a: 0700 a']],
  ['10 → 20', undefined, ['- 10', '+ 20']],
  ['lock the password', undefined, ['+ lock the password']],
  ['start', () => 'inactive → active', ['- inactive', '+ active']],
  [
    'content',
    () => `${fileDiff('/etc/x', 'a → b\n', 'c → d\n')}\nmode 0600 → 0644`,
    ['--- /etc/x', '+++ /etc/x', '@@ -1,1 +1,1 @@', '-a → b', '+c → d', '- mode 0600', '+ mode 0644'],
  ],
]
for (const [summary, diff, lines] of cases) {
  test(`shows ${summary} line by line`, () => {
    assert.equal(changeDiff({ summary, ...(diff && { diff }) }).split('\n'), lines)
  })
}

test.run()
