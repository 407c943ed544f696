"""A bot of aiohttp and SQLAlchemy. It sets its webhook when it starts, and deletes it when it stops."""
import os
import aiohttp
from aiohttp import web
from sqlalchemy import BigInteger, String, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

API = f"https://api.telegram.org/bot{os.environ['BOT_TOKEN']}"
SECRET = os.environ["WEBHOOK_SECRET"]
engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=2, max_overflow=0)
Session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Visitor(Base):
    __tablename__ = "visitors"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(100))
    visits: Mapped[int] = mapped_column(default=0)


async def call(app, method, **args):
    async with app["http"].post(f"{API}/{method}", json=args) as response:
        answer = await response.json()
        if not answer["ok"]:
            raise RuntimeError(f"{method}: {answer['description']}")
        return answer["result"]


async def webhook(request):
    if request.headers.get("X-Telegram-Bot-Api-Secret-Token") != SECRET:
        return web.Response(status=401)
    message = (await request.json()).get("message")
    if message and "text" in message:
        who = message["from"]
        async with Session.begin() as session:
            visitor = (await session.scalars(select(Visitor).where(Visitor.id == who["id"]).with_for_update())).first()
            if visitor is None:
                visitor = Visitor(id=who["id"], name=who["first_name"], visits=0)
                session.add(visitor)
            visitor.visits += 1
            text = f"python: {message['text']}, visit {visitor.visits}"
        await call(request.app, "sendMessage", chat_id=message["chat"]["id"], text=text)
    return web.Response()


async def health(_):
    async with engine.connect() as connection:
        await connection.execute(select(1))
    return web.Response(text="ok")


async def start(app):
    app["http"] = aiohttp.ClientSession()
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await call(app, "setWebhook", url=os.environ["WEBHOOK_URL"], secret_token=SECRET, allowed_updates=["message"])


async def stop(app):
    await call(app, "deleteWebhook")
    await app["http"].close()
    await engine.dispose()


app = web.Application()
app.add_routes([web.post("/webhook", webhook), web.get("/health", health)])
app.on_startup.append(start)
app.on_cleanup.append(stop)
web.run_app(app, host="0.0.0.0", port=8000)
