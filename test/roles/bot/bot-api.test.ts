import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { callWithRetry } from '../../../roles/bot/telegram/bot-api.ts'
import { scratchHost } from '../../support/scratch-host.ts'

const tooMany = (seconds: number) =>
  `{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":${seconds}}}`
const badGateway = '{"ok":false,"error_code":502,"description":"Bad Gateway"}'
const badRequest = '{"ok":false,"error_code":400,"description":"no"}'
const ok = '{"ok":true}'

for (const [what, answers, answer, waits] of [
  ['is asked again after as many seconds as it says', [tooMany(3), ok], ok, [3]],
  ['is asked three times at most', [tooMany(1), tooMany(2), tooMany(1), ok], 'Too Many Requests', [1, 2]],
  ['is waited for half a minute', [tooMany(30), ok], ok, [30]],
  ['is not waited for longer than that', [tooMany(31), ok], 'Too Many Requests', []],
  ['with an error of its own has given no answer', [badGateway, ok], 'Bad Gateway', []],
  ['is not asked again after a refusal', [badRequest, ok], badRequest, []],
] as const)
  test(`Telegram ${what}`, async () => {
    const host = scratchHost({
      curl: 'cat >>"$STATE/asked"; head -n 1 "$STATE/answers"; sed -i 1d "$STATE/answers"',
      sleep: '',
    })
    host.write('/etc/botgarden/token', '11:token')
    host.note('answers', answers.map((each) => `${each}\n`).join(''))
    const { text } = callWithRetry('https://api.telegram.org', '/etc/botgarden/token', 'setWebhook')
    const { stdout, calls } = await host.run(`${text}\nprintf %s "$answer"`)
    assert.is(stdout, answer)
    assert.equal(
      calls.filter((call) => call.startsWith('sleep')),
      waits.map((seconds) => `sleep ${seconds}`),
    )
    // The token goes by stdin, in each request.
    const url = 'url = "https://api.telegram.org/bot11:token/setWebhook"\n'
    assert.is(host.noted('asked'), url.repeat(waits.length + 1))
    assert.not(calls.some((call) => call.includes('11:token')))
  })

test.run()
