// What Telegram has signed is behind the `#` of the URL.
const launch = new URLSearchParams(location.hash.slice(1)).get('tgWebAppData') ?? ''
const headers = { authorization: `tma ${launch}`, 'content-type': 'application/json' }

async function order(item) {
  const { status } = await fetch('/api/order', { method: 'POST', headers, body: JSON.stringify({ item }) })
  document.querySelector('#said').textContent = status === 200 ? `ordered: ${item}` : `refused: ${status}`
}

const goods = await (await fetch('/api/goods')).json()
for (const [item, price] of Object.entries(goods)) {
  const button = document.createElement('button')
  button.id = item
  button.textContent = `Order ${item}, ${price} €`
  button.addEventListener('click', () => order(item))
  document.querySelector('#goods').appendChild(document.createElement('li')).append(button)
}
