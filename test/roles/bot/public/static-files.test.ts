// The static folders of an image, taken out on a host that is a folder.
import { mkdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { foldersOf, staticFolder } from '../../../../roles/bot/public/layout.ts'
import { extractScript, pruneScript, staticState } from '../../../../roles/bot/public/static-files.ts'
import { specOf } from '../../../../roles/bot/spec/spec.ts'
import { type ScratchHost, scratchHost } from '../../../support/scratch-host.ts'

const spec = specOf('shop:1', {}, { public: [{ path: '/app', static: 'dist' }] })
const [folder = ''] = foldersOf({ spec })['/app'] ?? []
const root = staticFolder('shop')
const app = `${root}/${folder}/app`

function hostWith(files?: (folder: string) => void, error = 'Could not find the file /srv/dist'): ScratchHost {
  const host = scratchHost()
  const image = join(host.state, 'image')
  if (files !== undefined) {
    mkdirSync(image)
    files(image)
  }
  host.note(
    'docker',
    `case "$1" in
    create) echo made; exit ;;
    image) echo /srv; exit ;;
    cp) [ -d "$STATE/image" ] || { echo '${error}' >&2; exit 1; }; tar --create --directory "$STATE/image" .; exit ;;
    esac`,
  )
  return host
}
const extract = (host: ScratchHost) => host.run(`set -eu\n${extractScript('shop', 1, spec).text}`)
const page = (text: string) => (image: string) => writeFileSync(join(image, 'index.html'), text)
const stamp = (host: ScratchHost, path: string) => statSync(join(host.root, path)).mtimeMs

test('files and folders of the image are there, complete, for all to read', async () => {
  const host = hostWith((image) => {
    mkdirSync(join(image, 'assets'))
    writeFileSync(join(image, 'assets/app.js'), 'x'.repeat(2000), { mode: 0o700 })
    page('hello')(image)
  })
  const { code, output, calls } = await extract(host)
  assert.is(code, 0, output)
  assert.is(host.read(`${app}/index.html`), 'hello')
  assert.equal(host.list(`${app}/assets`), ['app.js', 'app.js.gz'])
  assert.equal([host.mode(app), host.mode(`${app}/assets/app.js`)], ['755', '644'])
  assert.ok(calls.includes('docker cp made:/srv/dist/. -'))
  assert.ok(
    calls.some((call) => /^setpriv --reuid 20001 .*--no-new-privs tar --extract/.test(call)) ||
      calls.some((call) => /^setpriv --reuid \d+/.test(call)),
  )
  assert.equal(host.list(root).sort(), [folder, `${folder}.sum`].sort())
  assert.equal(await host.reads(staticState('shop')), { [folder]: true })
  assert.is(await host.reads(staticState('other')), undefined)
})

test('what is neither a file nor a folder, and what is hidden, stays behind, and is told', async () => {
  const host = hostWith((image) => {
    page('hello')(image)
    symlinkSync('/etc/passwd', join(image, 'passwd'))
    symlinkSync('/', join(image, 'root'))
    mkdirSync(join(image, '.git'))
    mkdirSync(join(image, '.well-known'))
    writeFileSync(join(image, '.git/config'), 'x')
    writeFileSync(join(image, '.env'), 'x')
    writeFileSync(join(image, '.well-known/apple'), 'x')
    writeFileSync(join(image, 'a\nb'), 'x')
  })
  const { code, output } = await extract(host)
  assert.is(code, 0, output)
  assert.equal(host.list(app), ['.well-known', 'index.html'])
  assert.match(output, 'left out of the static files: 2 that are neither')
})

test('a file has its time from its content, so that a changed one never passes for unchanged', async () => {
  const times = []
  for (const text of ['one', 'two', 'one']) {
    const host = hostWith((image) => {
      page(text)(image)
      utimesSync(join(image, 'index.html'), 0, 0)
    })
    assert.is((await extract(host)).code, 0)
    times.push(stamp(host, `${app}/index.html`))
  }
  assert.is(times[0], times[2])
  assert.is.not(times[0], times[1])
})

test('an image without the folder is refused with what to write, and nothing is left', async () => {
  const { code, output, calls } = await extract(hostWith())
  assert.is(code, 1)
  assert.match(output, /the image has no folder \/srv\/dist, which "static:" names/)
  assert.ok(calls.includes('docker rm --force --volumes made'))
})

test('what cannot be unpacked is no half folder', async () => {
  const host = hostWith(undefined, 'the daemon is on fire')
  const { code, output } = await extract(host)
  assert.is(code, 1)
  assert.match(output, /on fire[\s\S]*could not be unpacked/)
  assert.equal(host.list(root), [])
})

test('more than ten thousand files are refused', async () => {
  const host = hostWith((image) => {
    for (let i = 0; i < 10_001; i++) writeFileSync(join(image, `${i}`), '')
  })
  const { code, output } = await extract(host)
  assert.is(code, 1)
  assert.match(output, 'has more than 256 MiB or 10000 files')
  assert.equal(host.list(root), [])
})

test('a changed folder is seen and made anew, one that is whole is left alone', async () => {
  const host = hostWith(page('hello'))
  assert.is((await extract(host)).code, 0)
  const before = (await extract(host)).calls
  assert.not(
    before
      .slice(before.lastIndexOf('mark'))
      .some((call) => call.startsWith('docker cp') && before.filter((each) => each === call).length > 1),
  )
  host.write(`${app}/index.html`, 'olleh')
  assert.equal(await host.reads(staticState('shop')), { [folder]: false })
  assert.is((await extract(host)).code, 0)
  assert.is(host.read(`${app}/index.html`), 'hello')
  assert.equal(await host.reads(staticState('shop')), { [folder]: true })
})

test('folders that no release needs any more are removed, those of the last one stay', async () => {
  const host = hostWith(page('hello'))
  assert.is((await extract(host)).code, 0)
  for (const name of ['a', 'b', 'c.new']) host.write(`${root}/${name}/app/x`, 'x')
  host.write(`${root}/b.sum`, 'x')
  const prune = (release: Parameters<typeof pruneScript>[1]) =>
    host.run(`set -eu\n${pruneScript('shop', release, undefined).text}`)
  assert.is((await prune({ spec, former: { '/app': 'a' } })).code, 0)
  assert.equal(host.list(root).sort(), [folder, `${folder}.sum`, 'a'].sort())
  assert.is((await host.run(`set -eu\n${pruneScript('shop', { spec: specOf('x:1', {}, {}) }, { spec }).text}`)).code, 0)
  assert.not(host.list('/opt/botgarden/nginx/static').includes('shop'))
})

test.run()
