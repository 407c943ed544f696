const plural = new Intl.PluralRules('en')

const times = (n: number) => `${n} ${plural.select(n) === 'one' ? 'time' : 'times'}`

export const en = {
  hello: (name: string) => `Hello, ${name}! I will remember you. /help tells what I can do.`,
  helloAgain: (name: string, greetings: number) => `Hello again, ${name}! We have met ${times(greetings)}.`,
  help: '/start – say hello\n/count – a button to press\n/stats – how many of you there are\n/help – this message',
  stats: (users: number, greetings: number) => `Users: ${users}\nGreetings: ${greetings}`,
  pressed: (presses: number) => `You have pressed the button ${times(presses)}.`,
  press: 'Press me',
  thanks: 'Thank you!',
  oldButton: 'This button does nothing any more.',
  unknown: 'I do not know that. /help tells what I can do.',
}

/** The messages of the bot in one language. English defines which there are; the compiler finds what another language lacks. */
export type Messages = typeof en
