package mongo_test

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// server is the one that TEST_MONGO_URI names.
type server struct {
	uri    string
	client *driver.Client
}

// needServer returns the server to test with. Without one the test is skipped, unless
// ORDERS_REQUIRE_MONGO=1 says that there should be one.
func needServer(t *testing.T) *server {
	t.Helper()
	uri := os.Getenv("TEST_MONGO_URI")
	if uri == "" {
		const message = "MongoDB was not tried: TEST_MONGO_URI names no server; 'make test/mongo' starts one"
		if os.Getenv("ORDERS_REQUIRE_MONGO") == "1" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	client, err := driver.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Disconnect(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("disconnect: %v", err)
		}
	})
	return &server{uri: uri, client: client}
}

// database returns an empty database that is gone with the test.
func (s *server) database(t *testing.T) *driver.Database {
	t.Helper()
	database := s.client.Database("test_" + strings.ToLower(rand.Text()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
		defer cancel()
		if err := database.Drop(ctx); err != nil {
			t.Errorf("drop the database: %v", err)
		}
	})
	return database
}
