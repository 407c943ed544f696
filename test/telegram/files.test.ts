import { createServer } from 'node:http'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { imageSize } from '../../sandbox/telegram/files/image-size.ts'
import { endAll, pixel, telegram, upload, withPerson } from './support.ts'

test.after.each(endAll)

test('an uploaded photo is shown with its size, and comes back by its file_id, as the same file', async () => {
  const { call, apiRoot, token } = await withPerson()
  const { result } = await call(
    'sendPhoto',
    upload({ chat_id: '7', caption: '*a*', parse_mode: 'Markdown' }, { photo: ['a.png', pixel] }),
  )
  const [size] = result.photo
  assert.equal([size.width, size.height, size.file_size], [1, 1, pixel.length])
  assert.equal([result.caption, result.caption_entities], ['a', [{ type: 'bold', offset: 0, length: 1 }]])
  assert.is(result.text, undefined)
  const { result: file } = await call('getFile', { file_id: size.file_id })
  assert.match(file.file_path, /^photos\/file_\d+\.jpg$/)
  const content = await fetch(`${apiRoot}/file/bot${token}/${file.file_path}`)
  assert.equal(Buffer.from(await content.arrayBuffer()), pixel)
  const again = await call('sendPhoto', { chat_id: 7, photo: size.file_id })
  assert.is(again.result.photo[0].file_unique_id, size.file_unique_id)
})

const kinds: [method: string, field: string, seen: RegExp][] = [
  ['sendDocument', 'document', /"file_name":"a.bin","mime_type":"application\/octet-stream"/],
  ['sendVideo', 'video', /"width":0,"height":0,"duration":3/],
  ['sendAudio', 'audio', /"duration":3,"title":"Song"/],
  ['sendVoice', 'voice', /"mime_type":"audio\/ogg","duration":3/],
  ['sendAnimation', 'animation', /"duration":3/],
  ['sendSticker', 'sticker', /"is_animated":false/],
  ['sendVideoNote', 'video_note', /"length":240/],
]
for (const [method, field, seen] of kinds) {
  test(`${method} takes an upload, and attach://`, async () => {
    const { call } = await withPerson()
    const args = { chat_id: '7', duration: '3', title: 'Song' }
    const direct = await call(method, upload(args, { [field]: ['a.bin', 'abc'] }))
    assert.match(JSON.stringify(direct.result[field]), seen)
    const attached = await call(method, upload({ ...args, [field]: 'attach://one' }, { one: ['a.bin', 'abc'] }))
    assert.match(JSON.stringify(attached.result[field]), seen)
  })
}

test('a file by URL is fetched, through a redirect; one that is not there is said so', async () => {
  const { call } = await withPerson()
  const server = createServer((request, response) => {
    if (request.url === '/old') response.writeHead(302, { location: '/new.txt' }).end()
    else if (request.url === '/new.txt') response.writeHead(200, { 'content-type': 'text/plain' }).end('abc')
    else if (request.url === '/page') response.writeHead(200, { 'content-type': 'text/html' }).end('<p>')
    else response.writeHead(404).end()
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const { port } = server.address() as { port: number }
  const send = (path: string) => call('sendDocument', { chat_id: 7, document: `http://127.0.0.1:${port}${path}` })
  try {
    const { document } = (await send('/old')).result
    assert.equal([document.file_name, document.mime_type, document.file_size], ['new.txt', 'text/plain', 3])
    assert.is((await send('/none')).description, 'Bad Request: failed to get HTTP URL content')
    assert.is((await send('/page')).description, 'Bad Request: wrong type of the web page content')
  } finally {
    server.close()
  }
})

const refused: [what: string, method: string, args: object, code: number, description: string][] = [
  ['no file', 'sendPhoto', { chat_id: 7 }, 400, 'Bad Request: there is no photo in the request'],
  [
    'a wrong file_id',
    'sendPhoto',
    { chat_id: 7, photo: 'x' },
    400,
    'Bad Request: wrong file identifier/HTTP URL specified',
  ],
  [
    'a file that is no picture',
    'sendPhoto',
    upload({ chat_id: '7' }, { photo: ['a', 'abc'] }),
    400,
    'Bad Request: IMAGE_PROCESS_FAILED',
  ],
  [
    'an empty file',
    'sendDocument',
    upload({ chat_id: '7' }, { document: ['a', ''] }),
    400,
    'Bad Request: file must be non-empty',
  ],
  [
    'a long caption',
    'sendPhoto',
    { chat_id: 7, caption: 'a'.repeat(1025) },
    400,
    'Bad Request: message caption is too long',
  ],
  ['no album', 'sendMediaGroup', { chat_id: 7, media: [] }, 400, 'Bad Request: there are no messages to send'],
  ['no media', 'sendMediaGroup', { chat_id: 7 }, 400, 'Bad Request: parameter "media" is required'],
  [
    'eleven',
    'sendMediaGroup',
    { chat_id: 7, media: Array(11).fill({}) },
    400,
    'Bad Request: too many messages to send as an album',
  ],
  ['an unknown file', 'getFile', { file_id: 'x' }, 400, 'Bad Request: invalid file_id'],
  [
    'more than a request may have',
    'sendDocument',
    upload({ chat_id: '7' }, { document: ['a', Buffer.alloc(52 * 2 ** 20)] }),
    413,
    'Request Entity Too Large',
  ],
]
for (const [what, method, args, code, description] of refused) {
  test(`${method} refuses ${what}`, async () => {
    const { call } = await withPerson()
    assert.equal(await call(method, args), { ok: false, error_code: code, description })
  })
}

test('each file has a path of its own, and one of more than 20 MB is too big to download', async () => {
  const { call } = await withPerson()
  const send = async (content: Buffer | string) =>
    (await call('sendDocument', upload({ chat_id: '7' }, { document: ['a.txt', content] }))).result.document.file_id
  const get = async (file_id: string) => call('getFile', { file_id })
  const paths = [await get(await send('a')), await get(await send('b'))].map(({ result }) => result.file_path)
  assert.equal(paths, ['documents/file_1.txt', 'documents/file_2.txt'])
  assert.is((await get(await send(Buffer.alloc(21 * 2 ** 20)))).description, 'Bad Request: file is too big')
})

test('a file of one kind is not sent as another, and none of another bot', async () => {
  const { call, client, apiRoot } = await withPerson()
  const { photo } = (await call('sendPhoto', upload({ chat_id: '7' }, { photo: ['a.png', pixel] }))).result
  const id = photo[0].file_id
  assert.is(
    (await call('sendDocument', { chat_id: 7, document: id })).description,
    "Bad Request: can't use file of type photo as document",
  )
  const other = await client.ensureBot('other')
  const answer = await fetch(`${apiRoot}/bot${other.token}/getFile?file_id=${id}`)
  assert.is(answer.status, 400)
  const { result: file } = await call('getFile', { file_id: id })
  assert.is((await fetch(`${apiRoot}/file/bot${other.token}/${file.file_path}`)).status, 404)
  assert.is((await fetch(`${apiRoot}/file/bot1:x/${file.file_path}`)).status, 401)
})

test('an album is messages of one group, each with its caption', async () => {
  const { call } = await withPerson()
  const media = [
    { type: 'photo', media: 'attach://one', caption: 'first' },
    { type: 'photo', media: 'attach://two', has_spoiler: true },
  ]
  const form = upload({ chat_id: '7', media: JSON.stringify(media) }, { one: ['1.png', pixel], two: ['2.png', pixel] })
  const { result } = await call('sendMediaGroup', form)
  assert.is(result.length, 2)
  assert.type(result[0].media_group_id, 'string')
  assert.is(result[0].media_group_id, result[1].media_group_id)
  assert.equal([result[0].caption, result[1].caption, result[1].has_media_spoiler], ['first', undefined, true])
  const mixed = [media[0], { type: 'document', media: 'attach://two' }]
  const wrong = upload({ chat_id: '7', media: JSON.stringify(mixed) }, { one: ['1.png', pixel], two: ['2.png', pixel] })
  assert.is(
    (await call('sendMediaGroup', wrong)).description,
    "Bad Request: document can't be mixed with other media types",
  )
})

test('what a person sends can be downloaded by the bot, and read in the chat', async () => {
  const { call, client, updates } = await withPerson()
  const content = Buffer.from('list').toString('base64')
  await client.act('hello-bot', {
    chat: 7,
    file: { kind: 'document', name: 'list.csv', content, caption: 'mine', type: 'text/csv' },
  })
  const [{ message }] = await updates()
  assert.equal(
    [message.document.file_name, message.document.mime_type, message.caption],
    ['list.csv', 'text/csv', 'mine'],
  )
  assert.is((await call('getFile', { file_id: message.document.file_id })).result.file_size, 4)
  assert.is(String(await client.file('hello-bot', message.document.file_id)), 'list')
})

test('the contents of files outlive a restart', async () => {
  const { folder } = await import('./support.ts')
  const stateFile = `${folder}/files.json`
  const before = await withPerson({ stateFile })
  const { document } = (await before.call('sendDocument', upload({ chat_id: '7' }, { document: ['a.txt', 'abc'] })))
    .result
  await before.close()
  const after = await telegram({ stateFile })
  assert.is(String(await after.client.file('hello-bot', document.file_id)), 'abc')
})

test('the size of a picture is read from its head', () => {
  assert.equal(imageSize(pixel), { width: 1, height: 1 })
  const jpeg = Buffer.from('ffd8ffe000041234ffc0000b0800030005', 'hex')
  assert.equal(imageSize(jpeg), { width: 5, height: 3 })
  assert.equal(imageSize(Buffer.from('GIF89a\x05\x00\x03\x00', 'latin1')), { width: 5, height: 3 })
  assert.is(imageSize(Buffer.from('ffd8ff', 'hex')), undefined)
  assert.is(imageSize(Buffer.from('text')), undefined)
})

test.run()
