/**
 * A page of `--html` as an SVG, for readers who are shown no HTML: the same elements and the same style, in one theme. `width` and
 * `height`: of the page, in CSS pixels.
 */
export function pagePicture(
  page: string,
  theme: 'light' | 'dark',
  { width, height }: { width: number; height: number },
): string {
  const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? []
  const [, body = ''] = /<body>([\s\S]*)<\/body>/.exec(page) ?? []
  if (style === '' || body === '') throw new Error('no page of status.ts')
  const own = style
    .replace('@media (prefers-color-scheme: dark)', theme === 'dark' ? '@media all' : '@media not all')
    // A picture keeps its width, on a phone too.
    .replace('@media (max-width: 48rem)', '@media not all')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="the page of status.ts, ${theme}">
<title>the page of status.ts, ${theme}</title>
<style>
${own}</style>
<rect width="100%" height="100%" rx="8" style="fill: var(--back)"/>
<foreignObject width="100%" height="100%">
<body xmlns="http://www.w3.org/1999/xhtml">
${body.trim()}
</body>
</foreignObject>
</svg>
`
}
