import json, os, urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

token = os.environ["TOKEN"]
secret = open(os.environ["WEBHOOK_SECRET_FILE"]).read()

class Bot(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def do_POST(self):
        update = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = self.headers.get("X-Telegram-Bot-Api-Secret-Token") == secret
        if known:
            with open("/data/log", "a") as log:
                print(update["message"]["text"], file=log)
            reply = {"chat_id": update["message"]["chat"]["id"], "text": "python: " + update["message"]["text"]}
            url = f"{os.environ['TELEGRAM_API_ROOT']}/bot{token}/sendMessage"
            urllib.request.urlopen(urllib.request.Request(url, json.dumps(reply).encode(), {"Content-Type": "application/json"}))
        self.send_response(200 if known else 401); self.end_headers()

HTTPServer(("", int(os.environ["PORT"])), Bot).serve_forever()
