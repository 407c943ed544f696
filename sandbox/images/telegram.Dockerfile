# The sandbox's Telegram: a Bot API server on port 8081 and as https://api.telegram.org, and on 8082 how tests and people drive it.
ARG FROM
FROM ${FROM}
RUN useradd --system --uid 900 --home-dir /var/lib/telegram --create-home --shell /usr/sbin/nologin telegram
WORKDIR /opt/telegram
# Without a package.json beside them Node would first have to guess that these are modules.
RUN echo '{ "type": "module" }' > package.json
# Certified by an authority whose key is thrown away right here; only the sandbox's own hosts trust it. Before the program:
# a new version of that keeps it.
RUN command -v openssl >/dev/null || { apt-get update && apt-get install -y --no-install-recommends openssl \
    && rm -rf /var/lib/apt/lists/*; }
RUN mkdir tls && cd tls \
 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 3650 \
    -subj '/CN=botgarden sandbox, Telegram' -addext 'keyUsage=critical,keyCertSign' \
 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 3649 \
    -CA ca.pem -CAkey ca.key -subj '/CN=api.telegram.org' \
    -addext 'subjectAltName=DNS:api.telegram.org,DNS:telegram.sandbox' \
    -addext 'basicConstraints=critical,CA:FALSE' -addext 'extendedKeyUsage=serverAuth' \
 && rm ca.key && chown telegram key.pem
COPY telegram/ ./
ENV TELEGRAM_STATE=/var/lib/telegram/state.json TELEGRAM_TLS=/opt/telegram/tls
USER telegram
VOLUME /var/lib/telegram
EXPOSE 443 8081 8082
CMD ["node", "main.ts"]
