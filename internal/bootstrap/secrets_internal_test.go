package bootstrap

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/infrastructure/store/mongo"
)

// What changes without taking effect is told by name, once; what takes effect is not.
func TestReread(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("password", "one")
	write("bus", "bus-one")
	c, err := Load(t.Context(), config.Source{Environ: []string{
		"MONGO_HOST=db.example", "MONGO_PASSWORD_FILE=password", "EVENT_BUS_NAME_FILE=bus",
	}})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	r := newRereader(c, slog.New(slog.NewTextHandler(&log, nil)))
	read := func() mongo.Server {
		t.Helper()
		server, err := r.server(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return server
	}
	if read() != mongoServer(c) || log.Len() > 0 {
		t.Errorf("nothing has changed, and the log says\n%s", &log)
	}
	write("password", "two")
	if read().Password != "two" || log.Len() > 0 {
		t.Errorf("the password has changed, and the log says\n%s", &log)
	}
	write("bus", "bus-two")
	read()
	read()
	if said := log.String(); strings.Count(said, "\n") != 1 || !strings.Contains(said, "settings=EVENT_BUS_NAME") || strings.Contains(said, "bus-two") {
		t.Errorf("the log says\n%s", said)
	}
	write("password", "")
	write("bus", "b u s")
	if err := r.look(t.Context()); err == nil || strings.Count(log.String(), "settings can't be read again") != 1 {
		t.Errorf("after a wrong value: %v, and the log says\n%s", err, &log)
	}
}

// Only a secret's user signs in where the connection string names nobody: the default one never did.
func TestSignInOfTheConnectionString(t *testing.T) {
	c, err := config.Load(config.Source{
		Environ: []string{"MONGO_URI=mongodb://db.example/shop?replicaSet=rs0", "MONGO_SECRET_ID=s"},
		Secrets: func([]string) ([]string, error) { return []string{`{"username": "u", "password": "p"}`}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	settings, _, err := mongoConfig(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := settings.Client.Auth; a == nil || a.Username != "u" || a.Password != "p" || a.AuthSource != "admin" || settings.Database != "shop" {
		t.Errorf("it signs in as %+v to %s", a, settings.Database)
	}
	if c, err = config.Load(config.Source{Environ: []string{"MONGO_URI=mongodb://db.example", "MONGO_PASSWORD=p"}}); err != nil {
		t.Fatal(err)
	}
	if settings, _, err = mongoConfig(c, nil); err != nil || settings.Client.Auth != nil || settings.Renew != nil {
		t.Errorf("it signs in as %+v, %v", settings.Client.Auth, err)
	}
	other, err := placeOf("--to", "mongodb://other.example", c)
	if err != nil || other.settings.Client.Auth != nil {
		t.Errorf("elsewhere it signs in as %+v, %v", other.settings.Client.Auth, err)
	}
}

func TestRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 35*time.Second)
		defer cancel()
		var at []time.Duration
		started := time.Now()
		refresh(ctx, 10*time.Second, func(context.Context) error {
			at = append(at, time.Since(started))
			return context.Canceled // which is renew's to tell
		})
		if len(at) != 3 || at[0] != 10*time.Second || at[2] != 30*time.Second {
			t.Errorf("refreshed at %v", at)
		}
	})
}
