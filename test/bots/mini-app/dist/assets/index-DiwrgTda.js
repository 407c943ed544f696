const { initData = '' } = window.Telegram?.WebApp ?? {}
const answer = await fetch('/api/me', { headers: { authorization: `tma ${initData}` } })
const { user } = await answer.json()
document.querySelector('#user').textContent = user?.first_name ?? 'nobody'
