// Draws what status.ts shows of a host: `node docs/record-status.ts`. It writes status.svg, the screen of a terminal, and the page of
// --html as status-light.svg and status-dark.svg, as high as Chromium makes it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openBrowser } from '../test/support/chromium/browser.ts'
import { ensureChromium } from '../test/support/chromium/install.ts'
import { examplePage, pageWidth, statusPictures } from './status-pictures.ts'

const say = (line: string) => void process.stdout.write(`${line}\n`)
await ensureChromium(say)
const browser = await openBrowser({}, [])
const page = await browser.open('https://status.example/', examplePage())
await page.emulate({ width: pageWidth, dark: false })
const height = await page.value<number>('Math.ceil(document.body.getBoundingClientRect().height)')
await browser.close()

for (const [name, text] of Object.entries(await statusPictures(height))) {
  writeFileSync(join(import.meta.dirname, name), text)
  say(`wrote docs/${name}`)
}
