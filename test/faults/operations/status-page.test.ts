// The page of status.ts --html in headless Chromium: on a phone and on a wide screen, dark and light, whatever a host says.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { statusHtml } from '../../../commands/status/html.ts'
import { type Browser, openBrowser, type Page } from '../../support/chromium/browser.ts'
import { ensureChromium } from '../../support/chromium/install.ts'
import { hostile, saying, whole } from '../../support/status/shown.ts'

let browser: Browser
test.before(async () => {
  await ensureChromium((line) => process.stdout.write(`${line}\n`))
  browser = await openBrowser({}, [])
})
test.after(() => browser.close())

const finding = { id: 'x', next: 'npx zx playbooks/site.ts --limit vps1', what: 'is not as it should be' }
const findings = (['error', 'warning', 'note'] as const).map((level) => ({ ...finding, level, bot: 'hello' }))
const page = statusHtml([{ ...whole, findings }], new Date('2026-11-26T09:00:00Z'))
const open = (html = page) => browser.open('https://status.example/', html)
const phone = { width: 390, dark: false }
const wide = { width: 1280, dark: false }

const shownOf = (at: Page, selector: string) =>
  at.value<string>(`getComputedStyle(document.querySelector(${JSON.stringify(selector)})).display`)
const isTooWide = (at: Page) => at.value<boolean>('document.documentElement.scrollWidth > window.innerWidth')

test('on a wide screen the bots are a table, on a phone each is a card whose cells say their column', async () => {
  const at = await open()
  await at.emulate(wide)
  assert.equal(
    [await shownOf(at, 'thead'), await shownOf(at, 'tbody tr'), await isTooWide(at)],
    [...['table-header-group', 'table-row', false]],
  )
  await at.emulate(phone)
  assert.equal(
    [await shownOf(at, 'thead'), await shownOf(at, 'tbody tr'), await isTooWide(at)],
    [...['none', 'block', false]],
  )
  const label = `getComputedStyle(document.querySelector('td[data-column="memory"]'), '::before').content`
  assert.is(await at.value(label), '"memory"')
  // What is empty takes no room there.
  assert.is(await shownOf(at, 'td:empty'), 'none')
})

test('it is light or dark as the reader has it, and each text can be read on what is behind it', async () => {
  const at = await open()
  const back = (dark: boolean) =>
    at.emulate({ ...wide, dark }).then(() => at.value<string>('getComputedStyle(document.body).backgroundColor'))
  assert.equal([await back(false), await back(true)], ['rgb(255, 255, 255)', 'rgb(15, 20, 25)'])
  for (const dark of [false, true]) {
    await at.emulate({ ...wide, dark })
    assert.equal(await at.value<string[]>(`(${faintTexts})(4.5)`), [], dark ? 'dark' : 'light')
  }
})

/** In the page: the elements with a text whose contrast to what is behind it is below a ratio of WCAG's. */
const faintTexts = `(least) => {
  const light = (colour) => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((each) => Number(each) / 255)
    const [red, green, blue] = parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const behind = (element) => {
    const colour = getComputedStyle(element).backgroundColor
    return colour === 'rgba(0, 0, 0, 0)' && element.parentElement ? behind(element.parentElement) : colour
  }
  return [...document.body.querySelectorAll('*')].flatMap((element) => {
    if (![...element.childNodes].some(({ nodeType, textContent }) => nodeType === 3 && textContent.trim())) return []
    const [text, back] = [light(getComputedStyle(element).color), light(behind(element))]
    const ratio = (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05)
    return ratio < least ? [element.outerHTML.slice(0, 80) + ' ' + ratio.toFixed(1)] : []
  })
}`

test('it asks for nothing and runs nothing, whatever a host says; what it says is there to be read', async () => {
  const at = await open(statusHtml([saying(hostile)], new Date('2026-11-26T09:00:00Z')))
  await at.emulate(phone)
  assert.is(await at.value<number>(`performance.getEntriesByType('resource').length`), 0)
  assert.is(await at.value<number>(`document.querySelectorAll('script, img, link, iframe, [onerror]').length`), 0)
  assert.match(await at.value<string>('document.body.innerText'), '<script>alert(1)</script>')
  assert.is(await isTooWide(at), false)
  // What a script would do that got in after all.
  const loaded = `new Promise((settled) => {
    const image = new Image()
    image.onload = () => settled('loaded')
    image.onerror = () => settled('refused')
    image.src = 'data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7'
  })`
  assert.is(await at.value<string>(loaded), 'refused')
})

test.run()
