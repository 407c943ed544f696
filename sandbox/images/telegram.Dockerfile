# The sandbox's Telegram: a Bot API server on port 8081, and on 8082 how tests and people drive it.
ARG FROM
FROM ${FROM}
RUN useradd --system --uid 900 --home-dir /var/lib/telegram --create-home --shell /usr/sbin/nologin telegram
WORKDIR /opt/telegram
# Without a package.json beside them Node would first have to guess that these are modules.
RUN echo '{ "type": "module" }' > package.json
COPY telegram/ ./
ENV TELEGRAM_STATE=/var/lib/telegram/state.json
USER telegram
VOLUME /var/lib/telegram
EXPOSE 8081 8082
CMD ["node", "main.ts"]
