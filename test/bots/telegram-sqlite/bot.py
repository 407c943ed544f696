"""A bot of python-telegram-bot: it polls, keeps notes in SQLite, and counts by its own schedule."""
import os
import sqlite3
from telegram.ext import Application, MessageHandler, filters

db = sqlite3.connect("data/notes.db", isolation_level=None)
db.execute("pragma journal_mode = wal")
db.execute("create table if not exists notes (id integer primary key, chat integer not null, text text not null)")
db.execute("create table if not exists ticks (id integer primary key check (id = 1), count integer not null)")
db.execute("insert or ignore into ticks values (1, 0)")


async def note(update, context):
    message = update.effective_message
    db.execute("insert into notes (chat, text) values (?, ?)", (message.chat_id, message.text))
    (count,) = db.execute("select count(*) from notes where chat = ?", (message.chat_id,)).fetchone()
    await message.reply_text(f"sqlite: {message.text}, note {count}")


async def tick(context):
    db.execute("update ticks set count = count + 1")


app = Application.builder().token(os.environ["TELEGRAM_TOKEN"]).build()
app.add_handler(MessageHandler(filters.TEXT, note))
app.job_queue.run_repeating(tick, interval=2)
app.run_polling(timeout=10)
