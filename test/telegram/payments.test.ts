import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { endAll, withPerson } from './support.ts'

test.after.each(endAll)

const stars = {
  ...{ title: 'Coffee', description: 'One cup', payload: 'order-1', currency: 'XTR' },
  prices: [{ label: 'cup', amount: 5 }],
}
const late = 'Bad Request: query is too old and response timeout expired or query ID is invalid'

/** Time is not scaled: the bot has its ten seconds. */
async function withInvoice(args: object = {}) {
  const it = await withPerson({ timeScale: 1 })
  const sent = await it.call('sendInvoice', { chat_id: 7, ...stars, ...args })
  return { ...it, sent }
}

test('an invoice is paid once the bot has confirmed, and Stars are given back once', async () => {
  const { call, client, updates, sent } = await withInvoice()
  assert.equal(sent.result.invoice, {
    title: 'Coffee',
    description: 'One cup',
    start_parameter: '',
    currency: 'XTR',
    total_amount: 5,
  })
  assert.equal(sent.result.reply_markup, { inline_keyboard: [[{ text: 'Pay 5 XTR', pay: true }]] })
  await client.act('hello-bot', { chat: 7, pay: {} })
  const [{ pre_checkout_query: query }] = await updates()
  assert.equal([query.from.id, query.currency, query.total_amount, query.invoice_payload], [7, 'XTR', 5, 'order-1'])
  const confirm = { pre_checkout_query_id: query.id, ok: true }
  assert.is((await call('answerPreCheckoutQuery', confirm)).result, true)
  assert.is((await call('answerPreCheckoutQuery', confirm)).description, late)
  const [{ message }] = await updates()
  const { telegram_payment_charge_id, ...paid } = message.successful_payment
  assert.equal([paid.currency, paid.total_amount, paid.invoice_payload], ['XTR', 5, 'order-1'])
  assert.equal((await call('getMyStarBalance')).result, { amount: 5 })
  const back = { user_id: 7, telegram_payment_charge_id }
  assert.is((await call('refundStarPayment', back)).result, true)
  assert.is((await updates())[0].message.refunded_payment.telegram_payment_charge_id, telegram_payment_charge_id)
  assert.is((await call('refundStarPayment', back)).description, 'Bad Request: CHARGE_ALREADY_REFUNDED')
  const { transactions } = (await call('getStarTransactions')).result
  assert.equal(
    transactions.map((each: object) => Object.keys(each).at(-1)),
    ['source', 'receiver'],
  )
  assert.equal((await call('getMyStarBalance')).result, { amount: 0 })
})

test('what the bot refuses is told to the person, and not paid', async () => {
  const { call, client, updates } = await withInvoice()
  await client.act('hello-bot', { chat: 7, pay: {} })
  const [{ pre_checkout_query: query }] = await updates()
  const refuse = { pre_checkout_query_id: query.id, ok: false }
  assert.is((await call('answerPreCheckoutQuery', refuse)).description, 'Bad Request: error message must be non-empty')
  await call('answerPreCheckoutQuery', { ...refuse, error_message: 'sold out' })
  const last = (await client.chat('hello-bot', 7)).at(-1)
  assert.equal([last?.kind, last?.text], ['notice', 'payment refused: sold out'])
  assert.equal(await updates(), [])
})

test('a bot that confirms too late has lost the payment', async () => {
  // Ten seconds last 1 ms.
  const { call, client, updates } = await withPerson({ timeScale: 1e-4 })
  await call('sendInvoice', { chat_id: 7, ...stars })
  await client.act('hello-bot', { chat: 7, pay: {} })
  const [{ pre_checkout_query: query }] = await updates()
  await new Promise((resolve) => setTimeout(resolve, 5))
  assert.is((await call('answerPreCheckoutQuery', { pre_checkout_query_id: query.id, ok: true })).description, late)
})

test('where shipping depends on the address, the bot is asked for it first', async () => {
  const money = { currency: 'EUR', provider_token: '1:TEST:a', is_flexible: true, need_email: true }
  const { call, client, updates } = await withInvoice(money)
  await client.act('hello-bot', { chat: 7, pay: {} })
  const [{ shipping_query: asked }] = await updates()
  assert.equal([asked.invoice_payload, asked.shipping_address.country_code], ['order-1', 'US'])
  assert.is((await call('answerPreCheckoutQuery', { pre_checkout_query_id: asked.id, ok: true })).description, late)
  const shipping_options = [{ id: 'post', title: 'Post', prices: [{ label: 'post', amount: 3 }] }]
  await call('answerShippingQuery', { shipping_query_id: asked.id, ok: true, shipping_options })
  const [{ pre_checkout_query: query }] = await updates()
  assert.equal(
    [query.total_amount, query.shipping_option_id, query.order_info],
    [8, 'post', { email: 'ann@example.org' }],
  )
  await call('answerPreCheckoutQuery', { pre_checkout_query_id: query.id, ok: true })
  const [{ message }] = await updates()
  assert.equal([message.successful_payment.total_amount, message.successful_payment.shipping_option_id], [8, 'post'])
  const { telegram_payment_charge_id } = message.successful_payment
  assert.is(
    (await call('refundStarPayment', { user_id: 7, telegram_payment_charge_id })).description,
    'Bad Request: CHARGE_ID_INVALID',
  )
})

test('an invoice by its link is paid by whoever opens it', async () => {
  const { call, client, updates } = await withPerson({ timeScale: 1 })
  const { result: link } = await call('createInvoiceLink', { ...stars, provider_token: '' })
  assert.match(link, /^https:\/\/t\.me\/\$[\w-]+$/)
  await client.act('hello-bot', { chat: 7, pay: { link } })
  assert.is((await updates())[0].pre_checkout_query.invoice_payload, 'order-1')
  const unknown = client.act('hello-bot', { chat: 7, pay: { link: 'https://t.me/$x' } })
  assert.match(String(await unknown.catch(String)), 'no invoice https://t.me/$x')
})

const refused: [args: object, description: string][] = [
  [{ title: '' }, 'invoice title must be non-empty'],
  [{ payload: '' }, 'INVOICE_PAYLOAD_INVALID'],
  [{ currency: 'euro' }, 'CURRENCY_INVALID'],
  [{ currency: 'EUR' }, 'PAYMENT_PROVIDER_INVALID'],
  [{ prices: [] }, 'PRICES_EMPTY'],
  [{ prices: [{ label: 'a', amount: 0 }] }, 'CURRENCY_TOTAL_AMOUNT_INVALID'],
  [
    {
      prices: [
        { label: 'a', amount: 1 },
        { label: 'b', amount: 1 },
      ],
    },
    'STARS_INVOICE_INVALID',
  ],
]
for (const [args, description] of refused) {
  test(`an invoice with ${JSON.stringify(args)} is refused`, async () => {
    const { sent } = await withInvoice(args)
    assert.equal(sent, { ok: false, error_code: 400, description: `Bad Request: ${description}` })
  })
}

test.run()
