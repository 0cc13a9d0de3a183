package mongo_test

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/infrastructure/store/mongo"
)

// authServer is a server that asks who calls: the one in TEST_MONGO_AUTH_URI, and whom it lets in.
func authServer(t *testing.T) (u *url.URL, user, password string) {
	t.Helper()
	address, user, password := os.Getenv("TEST_MONGO_AUTH_URI"), os.Getenv("TEST_MONGO_AUTH_USER"), os.Getenv("TEST_MONGO_AUTH_PASSWORD")
	if address == "" {
		const message = "signing in to MongoDB was not tried: TEST_MONGO_AUTH_URI names no server; 'make test/mongoauth' starts one"
		if os.Getenv("ORDERS_REQUIRE_MONGO_AUTH") == "1" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	if !strings.ContainsAny(password, "@:/%") {
		t.Fatal("the password of TEST_MONGO_AUTH_PASSWORD must hold what has a meaning in a connection string")
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u, user, password
}

// TestSignIn is about who is let in.
func TestSignIn(t *testing.T) {
	u, user, password := authServer(t)
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	at := func(user, password string) mongo.Server {
		return mongo.Server{Host: u.Hostname(), Port: port, User: user, Password: password, AuthSource: "admin"}
	}
	inURI := func(user, password string) mongo.Server {
		return mongo.Server{URI: fmt.Sprintf("mongodb://%s@%s/orders?authSource=admin",
			url.UserPassword(user, password), net.JoinHostPort(u.Hostname(), u.Port()))}
	}
	for _, tt := range []struct {
		name   string
		server mongo.Server
		code   string // of the fault, "" for none
	}{
		{"right", at(user, password), ""},
		{"right, in a connection string", inURI(user, password), ""},
		{"wrong password", at(user, password+"x"), "store_sign_in_refused"},
		{"wrong password, in a connection string", inURI(user, password+"x"), "store_sign_in_refused"},
		{"empty password", at(user, ""), "store_sign_in_refused"},
		{"wrong user", at(user+"x", password), "store_sign_in_refused"},
		{"no sign-in", at("", ""), "store_right_missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, _, err := tt.server.Options()
			if err != nil {
				t.Fatal(err)
			}
			store, err := mongo.Open(t.Context(), mongo.Config{Client: client, KeepIndexes: true})
			if err == nil {
				err = store.Ping(t.Context())
				if err := store.Close(); err != nil {
					t.Error(err)
				}
			}
			if tt.code == "" {
				if err != nil {
					t.Errorf("Open: %v", err)
				}
				return
			}
			if got := fault.Of(err); err == nil || got.Code != tt.code || got.Kind != fault.Unavailable {
				t.Fatalf("Open: %v, want a fault with code %s", err, tt.code)
			}
			if said := err.Error(); strings.Contains(said, "\n") || strings.Contains(said, password) || !strings.Contains(said, "MONGO_") {
				t.Errorf("the line does not say what to do, or says too much: %s", said)
			}
		})
	}
}

func TestOptionsShowNoSecret(t *testing.T) {
	for _, uri := range []string{
		"mongodb://root:hun%ter2@db", "mongodb://root:hunter2@/x/y@db", "mongodb://root:hunter2@db:hunter2/", "mongodb://root:hunter2@db/?tls=hunter2",
		"mongodb://root:hunter2@db/?authMechanism=hunter2",
	} {
		_, _, err := mongo.Server{URI: uri}.Options()
		if err == nil {
			t.Errorf("%s is taken", uri)
			continue
		}
		if said := err.Error(); strings.Contains(said, "hun") || !strings.Contains(said, "MONGO_URI") {
			t.Errorf("of %s is said: %s", uri, said)
		}
	}
	if _, _, err := (mongo.Server{Host: "db", CAFile: "missing.pem"}).Options(); err == nil || !strings.Contains(err.Error(), "MONGO_TLS_CA_FILE") {
		t.Errorf("a missing file of authorities: %v", err)
	}
}
