package mongo_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/infrastructure/store/mongo"
)

// rotation is a user of a server that asks who calls, whose password changes.
type rotation struct {
	admin   *driver.Database
	address string
	user    string
	known   atomic.Value // the password, as whoever is asked for it knows it
	asked   atomic.Int64
	during  atomic.Pointer[func()] // is called once, while whoever is asked for the password has not answered; nil for nothing
	log     safeBuffer
}

func newRotation(t *testing.T) *rotation {
	t.Helper()
	u, user, password := authServer(t)
	r := &rotation{address: u.Host, user: "rotated-" + strings.ToLower(rand.Text())}
	client, err := driver.Connect(mustOptions(t, serverAt(t, u.Host, user, password)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Disconnect(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	r.admin = client.Database("admin")
	r.run(t, bson.D{{Key: "createUser", Value: r.user}, {Key: "pwd", Value: "first"}, {Key: "roles", Value: bson.A{}}})
	r.known.Store("first")
	return r
}

func (r *rotation) run(t *testing.T, command bson.D) {
	t.Helper()
	if err := r.admin.RunCommand(t.Context(), command).Err(); err != nil {
		t.Fatal(err)
	}
}

// change has the server take another password.
func (r *rotation) change(t *testing.T, password string) {
	t.Helper()
	r.run(t, bson.D{{Key: "updateUser", Value: r.user}, {Key: "pwd", Value: password}})
}

// server is where the server is and who signs in, as far as is known.
func (r *rotation) server(t *testing.T) mongo.Server {
	t.Helper()
	password, ok := r.known.Load().(string)
	if !ok {
		t.Fatal("no password is known")
	}
	return serverAt(t, r.address, r.user, password)
}

// open opens a store that asks for the password that is known. It signs in anew for nearly every call, as it keeps no
// connection that nobody uses.
func (r *rotation) open(t *testing.T) *mongo.Store {
	t.Helper()
	server := r.server(t)
	store, err := mongo.Open(t.Context(), mongo.Config{
		Client: mustOptions(t, server).SetMaxConnIdleTime(time.Millisecond), Server: server, Database: r.user, KeepIndexes: true, Log: slog.New(slog.NewTextHandler(&r.log, nil)),
		Renew: func(context.Context) (mongo.Server, error) {
			r.asked.Add(1)
			if during := r.during.Swap(nil); during != nil {
				(*during)()
			}
			return r.server(t), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		if text := r.log.String(); strings.Contains(text, "first") || strings.Contains(text, "second") {
			t.Errorf("a password is in the log:\n%s", text)
		}
	})
	return store
}

func serverAt(t *testing.T, address, user, password string) mongo.Server {
	t.Helper()
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return mongo.Server{Host: host, Port: port, User: user, Password: password, AuthSource: "admin"}
}

// pings has many ask the store at the same time, and returns what went wrong.
func pings(t *testing.T, store *mongo.Store) error {
	t.Helper()
	errs := make([]error, 50)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = store.Ping(t.Context()) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// A password that was changed is asked for when a sign-in is refused, once for all who are refused, and nobody notices.
func TestSignInWithANewPassword(t *testing.T) {
	r := newRotation(t)
	store := r.open(t)
	r.known.Store("second")
	r.change(t, "second")
	if err := pings(t, store); err != nil {
		t.Errorf("after the change: %v", err)
	}
	if n := r.asked.Load(); n != 1 {
		t.Errorf("the password was asked for %d times", n)
	}
	if text := r.log.String(); !strings.Contains(text, "credentials of MongoDB are renewed") {
		t.Errorf("it is not logged:\n%s", text)
	}
}

// Until the new password is known, calls are refused as at any time, and few ask for it.
func TestSignInRefusedUntilThePasswordIsKnown(t *testing.T) {
	r := newRotation(t)
	store := r.open(t)
	began := time.Now()
	r.change(t, "second")
	if err := store.Ping(t.Context()); fault.Of(err).Code != "store_sign_in_refused" {
		t.Fatalf("with the old password: %v", err)
	}
	if err := pings(t, store); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("with the old password: %v", err)
	}
	if n := r.asked.Load(); n > 3+int64(time.Since(began)/(2*time.Second)) { // one each 2 s
		t.Errorf("the password was asked for %d times", n)
	}
	r.known.Store("second")
	if err := store.Renew(t.Context()); err != nil {
		t.Errorf("Renew: %v", err)
	}
	if err := pings(t, store); err != nil {
		t.Errorf("with the new password: %v", err)
	}
}

// Who looks now and then has the new password before the old one is refused. A password that is wrong is not taken.
func TestSignInRenewedInTime(t *testing.T) {
	r := newRotation(t)
	store := r.open(t)
	r.known.Store("wrong")
	for range 2 {
		if err := store.Renew(t.Context()); fault.Of(err).Code != "store_sign_in_refused" {
			t.Errorf("Renew with a wrong password: %v", err)
		}
	}
	if err := pings(t, store); err != nil {
		t.Errorf("after a wrong password: %v", err)
	}
	if n := strings.Count(r.log.String(), "credentials of MongoDB are not renewed"); n != 1 {
		t.Errorf("it is logged %d times:\n%s", n, r.log.String())
	}
	r.change(t, "second")
	r.known.Store("second")
	// From when the password is asked for, calls go on all the while, and none of them fails. One that is refused before would not
	// have it asked for so soon after the last time.
	var enough atomic.Bool
	failed := make(chan error, 1)
	calls := func() {
		go func() {
			for !enough.Load() {
				if err := store.Ping(t.Context()); err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	r.during.Store(&calls)
	if err := store.Renew(t.Context()); err != nil {
		t.Errorf("Renew: %v", err)
	}
	if r.during.Load() != nil {
		t.Fatal("the password was not asked for")
	}
	if err := pings(t, store); err != nil {
		t.Errorf("after it was renewed: %v", err)
	}
	enough.Store(true)
	if err := <-failed; err != nil {
		t.Errorf("while it was renewed: %v", err)
	}
	asked := r.asked.Load()
	if err := store.Renew(t.Context()); err != nil || r.asked.Load() != asked+1 {
		t.Errorf("Renew with nothing new: %v", err)
	}
}

// safeBuffer is a buffer for several goroutines.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func mustOptions(t *testing.T, server mongo.Server) *options.ClientOptions {
	t.Helper()
	o, _, err := server.Options()
	if err != nil {
		t.Fatal(err)
	}
	return o
}
