package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const (
	user    = "orders"
	awkward = `p@ss:w/rd%21?#` // what must be escaped in a connection string, and more
)

// The server lets in who knows the password, and nobody else; the service's own tests rest on that.
func TestSignIn(t *testing.T) {
	t.Parallel()
	uri := start(t)
	inURI := "mongodb://" + url.UserPassword(user, awkward).String() + "@" + strings.TrimPrefix(uri, "mongodb://")
	for name, test := range map[string]struct {
		uri        string
		credential *options.Credential
		code       int32 // 0: let in
	}{
		"right password":                  {uri, &options.Credential{Username: user, Password: awkward}, 0},
		"right, SCRAM-SHA-256":            {uri, &options.Credential{AuthMechanism: "SCRAM-SHA-256", Username: user, Password: awkward}, 0},
		"wrong password":                  {uri, &options.Credential{Username: user, Password: awkward + "x"}, 18},
		"wrong user":                      {uri, &options.Credential{Username: "nobody", Password: awkward}, 18},
		"wrong database":                  {uri, &options.Credential{AuthSource: "orders_db", Username: user, Password: awkward}, 18},
		"no user, no password":            {uri, nil, 13},
		"right, in the connection string": {inURI, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := options.Client().ApplyURI(test.uri)
			if test.credential != nil {
				opts.SetAuth(*test.credential)
			}
			err := insert(t, opts)
			var refused mongo.CommandError
			switch {
			case test.code == 0 && err != nil:
				t.Errorf("not let in: %v", err)
			case test.code != 0 && !errors.As(err, &refused):
				t.Errorf("got %v, want a command's error with code %d", err, test.code)
			case test.code != 0 && refused.Code != test.code:
				t.Errorf("got code %d (%v), want %d", refused.Code, err, test.code)
			}
		})
	}
}

// insert signs in as the options say, and writes.
func insert(t *testing.T, opts *options.ClientOptions) error {
	t.Helper()
	client, err := mongo.Connect(opts)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Disconnect(context.Background())
	_, err = client.Database("orders_db").Collection("orders").InsertOne(t.Context(), bson.D{{Key: "a", Value: 1}})
	return err
}

// start starts the server, stops it when the test ends, and returns where it is.
func start(t *testing.T) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	said, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, out, user, awkward)
		out.CloseWithError(err)
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the server ends with %v", err)
		}
	})
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		t.Fatalf("the server does not start: %v", err)
	}
	return strings.TrimSpace(line)
}
