package aws_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/test/proxy"
)

// keepSecret makes a secret of the test's own and returns its name and its ARN.
func (c *cloud) keepSecret(t *testing.T, suffix, text string) (name, arn string) {
	t.Helper()
	made, err := c.secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String(c.name + "/" + suffix), SecretString: &text,
	})
	must(t, err)
	t.Cleanup(func() {
		_, err := c.secrets.DeleteSecret(context.WithoutCancel(t.Context()), &secretsmanager.DeleteSecretInput{
			SecretId: made.ARN, ForceDeleteWithoutRecovery: aws.Bool(true),
		})
		check(t, err)
	})
	return *made.Name, *made.ARN
}

// rotateSecret gives a secret a new current version.
func (c *cloud) rotateSecret(t *testing.T, name, text string) {
	t.Helper()
	_, err := c.secrets.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: &text})
	must(t, err)
}

// A service starts from secrets named by name and by ARN, and has them looked at again.
func TestSecretsStart(t *testing.T) {
	c := newCloud(t)
	_, first := c.keepSecret(t, "first", `{"DEFAULT_CURRENCY": "CHF", "EVENT_BUS_NAME": "bus-hunter2"}`)
	second, _ := c.keepSecret(t, "second", `{"DEFAULT_CURRENCY": "JPY", "PORT": 0, "LOG_LEVEL": "DEBUG", "SOMETHING": "hunter2"}`)
	s := start(t, "SECRETS_ID="+first+","+second, "SECRETS_REFRESH=1s")
	body, err := s.ask(t.Context(), http.MethodPost, "/orders", strings.Replace(newOrder, `"currency":"EUR",`, "", 1), http.StatusCreated)
	must(t, err)
	if !strings.Contains(string(body), `"currency":"CHF"`) {
		t.Errorf("the currency is not that of the first secret: %s", body)
	}
	c.rotateSecret(t, first, `{"DEFAULT_CURRENCY": "SEK", "EVENT_BUS_NAME": "bus-hunter2"}`)
	s.await(t, `"settings have changed that take effect at the next start","service":"order-processing-service"`, 1)
	if log := s.log.String(); !strings.Contains(log, "DEFAULT_CURRENCY") || strings.Contains(log, "hunter2") || strings.Contains(log, "SEK") {
		t.Errorf("the log does not say what has changed, or says too much:\n%s", log)
	}
	_, err = c.secrets.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &second})
	must(t, err)
	s.await(t, "settings can't be read again; those in use stay", 1)
	_, err = s.place(t.Context())
	must(t, err)
}

func TestSecretsThatCantBeRead(t *testing.T) {
	c := newCloud(t)
	name, _ := c.keepSecret(t, "s", `{"password": "hunter2"}`)
	bytes, err := c.secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String(c.name + "/bytes"), SecretBinary: []byte("hunter2"),
	})
	must(t, err)
	deleted, _ := c.keepSecret(t, "deleted", "hunter2")
	_, err = c.secrets.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &deleted})
	must(t, err)

	target, err := url.Parse(c.endpoint)
	must(t, err)
	var deny atomic.Bool
	var calls atomic.Int64
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n := calls.Add(1); {
		case deny.Load():
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"AccessDeniedException","Message":"User: x is not authorized to perform: secretsmanager:GetSecretValue"}`)
		case n <= 2:
			panic(http.ErrAbortHandler) // away for a moment
		default:
			(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host }}).ServeHTTP(w, r)
		}
	}))
	t.Cleanup(between.Close)
	t.Setenv("AWS_ENDPOINT_URL", between.URL)

	load := func(id string) error {
		_, err := bootstrap.Load(t.Context(), config.Source{Environ: []string{"MONGO_SECRET_ID=" + id}})
		return err
	}
	if err := load(name); err != nil || calls.Load() != 3 {
		t.Errorf("after having been away for a moment: %v, %d calls", err, calls.Load())
	}
	wrong := map[string]string{
		name + "-wrong": "does not exist; create it, or correct MONGO_SECRET_ID", *bytes.ARN: "keep it as text", deleted: "restore it",
	}
	for id, want := range wrong {
		if err := load(id); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("of %s is said: %v; want %s", id, err, want)
		}
	}
	deny.Store(true)
	if err := load(name); err == nil || !strings.Contains(err.Error(), "allow secretsmanager:GetSecretValue") {
		t.Errorf("denied: %v", err)
	}
}

// rotated is a user of the MongoDB that asks who calls, and a secret that says how to sign in as that user.
type rotated struct {
	*cloud
	admin   *mongo.Database
	network *proxy.Proxy
	user    string
	secret  string
}

func newRotated(t *testing.T) *rotated {
	t.Helper()
	address := os.Getenv("TEST_MONGO_AUTH_URI")
	if address == "" {
		const message = "rotation was not tried: TEST_MONGO_AUTH_URI names no MongoDB that asks who calls; 'make test/aws' starts one"
		if os.Getenv("ORDERS_REQUIRE_MONGO_AUTH") == "1" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	r := &rotated{cloud: newCloud(t), user: "user-" + strings.ToLower(rand.Text())}
	client, err := mongo.Connect(options.Client().ApplyURI(address).SetAuth(options.Credential{
		Username: os.Getenv("TEST_MONGO_AUTH_USER"), Password: os.Getenv("TEST_MONGO_AUTH_PASSWORD"), PasswordSet: true,
	}))
	must(t, err)
	t.Cleanup(func() { check(t, client.Disconnect(context.WithoutCancel(t.Context()))) })
	r.admin = client.Database("admin")
	u, err := url.Parse(address)
	must(t, err)
	r.network = proxy.Start(t, u.Host)
	must(t, r.admin.RunCommand(t.Context(), bson.D{{Key: "createUser", Value: r.user}, {Key: "pwd", Value: "hunter2-1"}, {Key: "roles", Value: bson.A{}}}).Err())
	r.secret, _ = r.keepSecret(t, "mongo", r.text(t, r.user, "hunter2-1"))
	return r
}

// text is a secret as rotations of DocumentDB write it.
func (r *rotated) text(t *testing.T, user, password string) string {
	t.Helper()
	host, port, err := net.SplitHostPort(r.network.Addr())
	must(t, err)
	return fmt.Sprintf(`{"engine": "mongo", "host": %q, "port": %s, "username": %q, "password": %q, "ssl": false}`, host, port, user, password)
}

// changePassword changes it in MongoDB, and drops every connection, so that the next request has to sign in.
func (r *rotated) changePassword(t *testing.T, password string) {
	t.Helper()
	must(t, r.admin.RunCommand(t.Context(), bson.D{{Key: "updateUser", Value: r.user}, {Key: "pwd", Value: password}}).Err())
	r.network.Cut()
	r.network.Heal()
}

func (r *rotated) start(t *testing.T, refresh string) *service {
	t.Helper()
	s := start(t, "MONGO_SECRET_ID="+r.secret, "MONGO_DB="+r.name, "MONGO_CREATE_INDEXES=false", "MONGO_TIMEOUT=5s",
		"DELIVERY_POLL_INTERVAL=10m", "SECRETS_REFRESH="+refresh, "LOG_LEVEL=DEBUG")
	t.Cleanup(func() {
		if log := s.log.String(); strings.Contains(log, "hunter2") || strings.Contains(log, r.user) {
			t.Errorf("the log shows a secret:\n%s", log)
		}
	})
	return s
}

const noOrder = "/orders/0123456789abcdef01234567"

// reads reports whether the store answers: that there is no such order.
func (s *service) reads(t *testing.T) bool {
	t.Helper()
	_, err := s.ask(t.Context(), http.MethodGet, noOrder, "", http.StatusNotFound)
	return err == nil
}

// awaitStore waits until the store answers, for a few seconds.
func (s *service) awaitStore(t *testing.T, want bool) {
	t.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(patience); s.reads(t) != want; <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("the store does not come to answer %t", want)
		}
	}
}

// One user whose password changes: what is refused until the secret says so too is served again by itself.
func TestSignInRotation(t *testing.T) {
	r := newRotated(t)
	s := r.start(t, "0s")
	s.awaitStore(t, true)
	r.changePassword(t, "hunter2-2")
	s.awaitStore(t, false)
	problem, err := s.ask(t.Context(), http.MethodGet, noOrder, "", http.StatusServiceUnavailable)
	must(t, err)
	if strings.Contains(string(problem), "hunter2") || strings.Contains(string(problem), r.user) {
		t.Errorf("an answer shows a secret: %s", problem)
	}
	r.rotateSecret(t, r.secret, r.text(t, r.user, "hunter2-2"))
	s.awaitStore(t, true)
	s.await(t, "credentials of MongoDB are renewed", 1)
}

// Two users that take turns: the secret names the other one before anything is refused, and no request fails.
func TestSignInRotationOfTwoUsers(t *testing.T) {
	r := newRotated(t)
	s := r.start(t, "1s")
	s.awaitStore(t, true)
	other := r.user + "-b"
	must(t, r.admin.RunCommand(t.Context(), bson.D{{Key: "createUser", Value: other}, {Key: "pwd", Value: "hunter2-b"}, {Key: "roles", Value: bson.A{}}}).Err())
	r.rotateSecret(t, r.secret, r.text(t, other, "hunter2-b"))
	renewed := func() bool { return strings.Contains(s.log.String(), "credentials of MongoDB are renewed") }
	for deadline := time.Now().Add(patience); !renewed(); {
		if !s.reads(t) {
			t.Fatal("a request failed while the credentials were renewed")
		}
		if time.Now().After(deadline) {
			t.Fatal("the credentials are not renewed")
		}
	}
	// The user of before may go now.
	must(t, r.admin.RunCommand(t.Context(), bson.D{{Key: "dropUser", Value: r.user}}).Err())
	r.network.Cut()
	r.network.Heal()
	s.awaitStore(t, true)
}
