import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { local } from '../../../lib/shell/local.ts'
import type { ReleasePolicy } from '../../../roles/bot/release/policy.ts'
import { restartScript } from '../../../roles/bot/release/restart-script.ts'
import { switchScript } from '../../../roles/bot/release/switch-script.ts'
import type { Release } from '../../../roles/bot/spec/release-record.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import { callWithRetry } from '../../../roles/bot/telegram/bot-api.ts'

type Mode = 'webhook' | 'polling'
const instance = { bot: 'hello', number: 1, base: '10.210', telegram: 'https://api.telegram.org' }
const hook = { bot: 'hello', url: 'https://b.example.org/tg/hello', name: 'b.example.org', telegram: instance.telegram }
const limits = { memoryMB: 160, cpus: 0.5 }
const policy: ReleasePolicy = {
  ...{ limits: () => limits, settle: 20, drain: 30, keep: 3, by: 'me', migrates: true },
  hook: { ...hook, ask: true },
}
const specOfMode = (mode: Mode) => specOf('x:2', { mode }, {})
const releaseOf = (mode: Mode): Release => ({
  ...{ id: '1', spec: specOfMode(mode), colour: 'blue', secrets: {}, by: 'me' },
})

/** What a switch does after its functions are defined, in order, as far as it is about who runs. */
function stepsOf(before: Mode | undefined, after: Mode): string[] {
  const old = before && releaseOf(before)
  const { text } = switchScript({
    ...{
      instance,
      spec: specOfMode(after),
      colour: 'green',
      old,
      oldContainerExists: old !== undefined,
      policy,
      limits,
      secrets: [],
    },
  })
  const marks: [string, RegExp][] = [
    ['stop old', /stopped=yes; docker stop --time 20 "\$old_container"/],
    ['delete webhook', /deleteWebhook/],
    ['start new', /docker compose .* up /],
    ['settle', /^ *settle 20/],
    ['bind new', /docker update --restart always "\$new"/],
    ['switch', /switched=yes; route_/],
    ['record', /^ *record_release /],
    ['unbind old', /docker update --restart no "\$old_container"/],
    ['drain', /^ *retire /],
  ]
  const lines = text.slice(text.indexOf('trap revert_switch EXIT')).split('\n')
  return lines.flatMap((line) => marks.filter(([, mark]) => mark.test(line)).map(([name]) => name))
}

// The old one comes back after a boot up to the record, the new one from the moment on when that serves nobody any more.
for (const [before, after, steps] of [
  ['webhook', 'webhook', 'start new, settle, bind new, switch, record, unbind old, drain'],
  ['polling', 'polling', 'stop old, delete webhook, start new, settle, record, bind new, unbind old, drain'],
  ['polling', 'webhook', 'stop old, start new, settle, bind new, switch, record, unbind old, drain'],
  [
    'webhook',
    'polling',
    'stop old, delete webhook, start new, bind new, settle, switch, record, bind new, unbind old, drain',
  ],
  [undefined, 'polling', 'delete webhook, start new, settle, record, bind new, unbind old'],
] as const)
  test(`from ${before ?? 'nothing'} to ${after}: ${steps}`, () => assert.is(stepsOf(before, after).join(', '), steps))

test('a version that polls and fails gives the webhook back to the one before', () => {
  const undo = (before: Mode) => {
    const { text } = switchScript({
      ...{ instance, spec: specOfMode('polling'), colour: 'green', old: releaseOf(before), oldContainerExists: true },
      ...{ policy, limits, secrets: [] },
    })
    return text.slice(text.indexOf('revert_switch() {'), text.indexOf('trap revert_switch EXIT'))
  }
  assert.match(undo('webhook'), /setWebhook[\s\S]*url=https:\/\/b.example.org\/tg\/hello/)
  assert.not.match(undo('polling'), /setWebhook/)
})

test('of two that poll the leftover goes before the recorded one starts, else after nginx leads to that', () => {
  const order = (mode: Mode) => {
    const { text } = restartScript(instance, releaseOf(mode), limits, { start: true, bind: false })
    return [text.indexOf('docker rm -f --volumes botgarden-hello-green'), text.indexOf(' up --detach')]
  }
  const [removed, up] = order('polling')
  assert.ok((removed ?? -1) > 0 && (removed ?? 0) < (up ?? 0))
  const [later, started] = order('webhook')
  assert.ok((later ?? 0) > (started ?? 0))
})

for (const [what, answers, said, waited] of [
  ['is asked again after as long as it says', ['429 3', '{"ok":true}'], '{"ok":true}', '3\n'],
  ['is not asked for ever', ['429 1', '429 1', '429 1', '{"ok":true}'], 'Too Many Requests', '1\n1\n'],
  ['is not waited for when that takes too long', ['429 31', '{"ok":true}'], 'Too Many Requests', ''],
  [
    'is as good as silent when it is in trouble',
    ['{"ok":false,"error_code":502,"description":"Bad Gateway"}'],
    'Bad Gateway',
    '',
  ],
  [
    'is believed when it says no',
    ['{"ok":false,"error_code":400,"description":"no"}'],
    '{"ok":false,"error_code":400,"description":"no"}',
    '',
  ],
] as const)
  test(`Telegram ${what}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'switch-test-'))
    const fake = (name: string, text: string) => {
      writeFileSync(join(folder, name), `#!/bin/sh\ncd ${folder}\n${text}\n`)
      chmodSync(join(folder, name), 0o755)
    }
    const told = answers.map((each) =>
      each.replace(
        /^429 (\d+)$/,
        '{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":$1}}',
      ),
    )
    writeFileSync(join(folder, 'answers'), told.map((each) => `${each}\n`).join(''))
    fake('curl', 'cat >/dev/null; head -n 1 answers; sed -i 1d answers')
    fake('sleep', 'echo "$1" >>slept')
    writeFileSync(join(folder, 'slept'), '')
    const { text } = callWithRetry('https://api.telegram.org', '/dev/null', 'setWebhook')
    const { stdout } = await local({
      env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
    })`sh -e -c ${`${text}\nprintf %s "$answer"`}`
    assert.is(stdout, said)
    assert.is(readFileSync(join(folder, 'slept'), 'utf8'), waited)
    rmSync(folder, { recursive: true })
  })

test.run()
