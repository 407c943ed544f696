// A bot of telebot and lib/pq: one binary in an image with nothing else, which reaches its database by TCP with TLS.
package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"

	_ "github.com/lib/pq"
	telebot "gopkg.in/telebot.v3"
)

func main() {
	db, err := sql.Open("postgres", os.Getenv("DATABASE_URL"))
	if err == nil {
		_, err = db.Exec("create table if not exists words (id serial primary key, chat bigint not null, word text not null)")
	}
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(4)
	bot, err := telebot.NewBot(telebot.Settings{Token: os.Getenv("BOT_TOKEN"), Synchronous: true})
	if err != nil {
		log.Fatal(err)
	}
	bot.Handle(telebot.OnText, func(c telebot.Context) error {
		var count int
		var tls bool
		if _, err := db.Exec("insert into words (chat, word) values ($1, $2)", c.Chat().ID, c.Text()); err != nil {
			return err
		}
		if err := db.QueryRow("select count(*) from words where chat = $1", c.Chat().ID).Scan(&count); err != nil {
			return err
		}
		if err := db.QueryRow("select ssl from pg_stat_ssl where pid = pg_backend_pid()").Scan(&tls); err != nil {
			return err
		}
		return c.Send(fmt.Sprintf("go: %s, word %d, tls %t", c.Text(), count, tls))
	})
	http.HandleFunc("/telegram", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Telegram-Bot-Api-Secret-Token") != os.Getenv("WEBHOOK_SECRET") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var update telebot.Update
		if err := json.NewDecoder(r.Body).Decode(&update); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		bot.ProcessUpdate(update)
	})
	log.Fatal(http.ListenAndServe(":8080", nil))
}
