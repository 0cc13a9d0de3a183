// Package mongodb gives tests the MongoDB server that TEST_MONGO_URI names, with a database of their own that is gone when
// they end, directly or through a network that breaks.
package mongodb

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"order-processing-service/test/proxy"
)

// Server is the server to test with.
type Server struct {
	URI    string
	Client *mongo.Client
}

// dropLimit is how long it may take to drop a database.
const dropLimit = 30 * time.Second

// Need returns the server. Without one the test is skipped, unless ORDERS_REQUIRE_MONGO=1 says that there should be one.
func Need(tb testing.TB) *Server {
	tb.Helper()
	uri := os.Getenv("TEST_MONGO_URI")
	if uri == "" {
		const message = "MongoDB was not tried: TEST_MONGO_URI names no server; 'make test/mongo' starts one"
		if os.Getenv("ORDERS_REQUIRE_MONGO") == "1" {
			tb.Fatal(message)
		}
		tb.Skip(message)
	}
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := client.Disconnect(context.WithoutCancel(tb.Context())); err != nil {
			tb.Errorf("disconnect: %v", err)
		}
	})
	return &Server{URI: uri, Client: client}
}

// LateLook is the warning of a program whose first look for the server took longer than it waits with its start, as one may on a
// machine that does much else. A server that stays away shows in what the program answers.
const LateLook = "MongoDB can't be reached; orders are answered 503 until it can"

// Database returns an empty database that is gone with the test.
func (s *Server) Database(tb testing.TB) *mongo.Database {
	tb.Helper()
	database := s.Client.Database("test_" + strings.ToLower(rand.Text()))
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), dropLimit)
		defer cancel()
		if err := database.Drop(ctx); err != nil {
			tb.Errorf("drop the database: %v", err)
		}
	})
	return database
}

// Proxied returns a proxy in front of the server, and the URI that leads through it: to this server alone, since the others
// of a replica set would be met behind the proxy's back.
func (s *Server) Proxied(tb testing.TB) (p *proxy.Proxy, uri string) {
	tb.Helper()
	u, err := url.Parse(s.URI)
	if err != nil || u.Scheme != "mongodb" || strings.Contains(u.Host, ",") {
		tb.Fatalf("TEST_MONGO_URI must name one host, as in mongodb://127.0.0.1:27017")
	}
	address := u.Host
	if u.Port() == "" {
		address += ":27017"
	}
	p = proxy.Start(tb, address)
	u.Host = p.Addr()
	query := u.Query()
	query.Set("directConnection", "true")
	query.Del("replicaSet")
	u.RawQuery = query.Encode()
	if u.Path == "" {
		u.Path = "/"
	}
	return p, u.String()
}
