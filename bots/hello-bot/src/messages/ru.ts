import type { Messages } from './en.ts'

const plural = new Intl.PluralRules('ru')

const times = (n: number) => `${n} ${plural.select(n) === 'few' ? 'раза' : 'раз'}`

export const ru: Messages = {
  hello: (name) => `Привет, ${name}! Я тебя запомню. /help расскажет, что я умею.`,
  helloAgain: (name, greetings) => `Снова привет, ${name}! Мы здоровались ${times(greetings)}.`,
  help: '/start – поздороваться\n/count – кнопка, которую можно нажать\n/stats – сколько вас\n/help – это сообщение',
  stats: (users, greetings) => `Пользователей: ${users}\nПриветствий: ${greetings}`,
  pressed: (presses) => `Кнопка нажата ${times(presses)}.`,
  press: 'Нажми меня',
  thanks: 'Спасибо!',
  oldButton: 'Эта кнопка больше ничего не делает.',
  unknown: 'Этого я не знаю. /help расскажет, что я умею.',
}
