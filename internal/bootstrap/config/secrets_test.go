package config_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/bootstrap/config"
)

// kept answers with the secrets of a test, by id.
func kept(secrets map[string]string) config.Secrets {
	return func(ids []string) ([]string, error) {
		texts := make([]string, len(ids))
		for i, id := range ids {
			text, there := secrets[id]
			if !there {
				return nil, fmt.Errorf("no secret %s", id)
			}
			texts[i] = text
		}
		return texts, nil
	}
}

const documentDB = `{"username": "shop", "password": "hunter2", "host": "docdb.example", "port": 27018, "ssl": true, "dbname": "shop_db",
	"engine": "mongo", "dbClusterIdentifier": "c1", "masterarn": "arn:x"}`

func TestMongoSecret(t *testing.T) {
	tests := map[string]struct {
		secret  string
		environ []string
		want    map[string]string // as the program gets them
		sources map[string]string
	}{
		"what rotations of DocumentDB write": {
			secret: documentDB,
			want: map[string]string{
				"MONGO_USER": "shop", "MONGO_PASSWORD": "hunter2", "MONGO_HOST": "docdb.example", "MONGO_PORT": "27018",
				"MONGO_DB": "shop_db", "MONGO_TLS": "true",
			},
			sources: map[string]string{"MONGO_PASSWORD": "secret orders/mongo", "MONGO_PORT": "secret orders/mongo", "MONGO_TIMEOUT": "default"},
		},
		"the environment wins, each variable for itself": {
			secret: documentDB, environ: []string{"MONGO_HOST=near.example", "MONGO_PASSWORD=other"},
			want:    map[string]string{"MONGO_USER": "shop", "MONGO_PASSWORD": "other", "MONGO_HOST": "near.example", "MONGO_PORT": "27018"},
			sources: map[string]string{"MONGO_HOST": "environment", "MONGO_USER": "secret orders/mongo"},
		},
		"our names": {
			secret: `{"MONGO_PASSWORD": "hunter2", "MONGO_TIMEOUT": "3s", "MONGO_PORT": 1, "MONGO_TLS": false, "MONGO_URI": null}`,
			want:   map[string]string{"MONGO_PASSWORD": "hunter2", "MONGO_TIMEOUT": "3s", "MONGO_PORT": "1", "MONGO_URI": ""},
		},
		"our names over theirs":     {secret: `{"password": "a", "MONGO_PASSWORD": "b"}`, want: map[string]string{"MONGO_PASSWORD": "b"}},
		"a password alone":          {secret: "hunter2\n", want: map[string]string{"MONGO_PASSWORD": "hunter2", "MONGO_USER": "root"}},
		"a connection string alone": {secret: "mongodb://u:p@db/x", want: map[string]string{"MONGO_URI": "mongodb://u:p@db/x"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := mustLoad(t, config.Source{
				Environ: append(tt.environ, "MONGO_SECRET_ID=orders/mongo"),
				Secrets: kept(map[string]string{"orders/mongo": tt.secret}),
			})
			got := map[string]string{
				"MONGO_USER": c.MongoUser, "MONGO_PASSWORD": string(c.MongoPassword), "MONGO_HOST": c.MongoHost, "MONGO_PORT": strconv.Itoa(c.MongoPort),
				"MONGO_DB": c.MongoDB, "MONGO_TLS": fmt.Sprint(c.MongoTLS), "MONGO_URI": string(c.MongoURI), "MONGO_TIMEOUT": c.MongoTimeout.String(),
			}
			for variable, want := range tt.want {
				if got[variable] != want {
					t.Errorf("%s is %q, want %q", variable, got[variable], want)
				}
			}
			for variable, want := range tt.sources {
				if s := setting(t, c, variable); s.Source != want || strings.HasPrefix(want, "secret") != c.IsSecret(variable) {
					t.Errorf("%s is from %s, want %s", variable, s.Source, want)
				}
			}
			if got := c.Warnings(); len(got) != 0 {
				t.Errorf("warnings %q", got)
			}
		})
	}
}

func TestSecretsOfAnyVariable(t *testing.T) {
	c := mustLoad(t, config.Source{
		Environ: []string{"SECRETS_ID=first,second", "MONGO_SECRET_ID=mongo", "LOG_LEVEL=DEBUG"},
		Secrets: kept(map[string]string{
			"first":  `{"PORT": 1, "LOG_LEVEL": "ERROR", "EVENTS": "sqs", "PROT": "hunter2", "username": "hunter2"}`,
			"second": `{"PORT": "2", "HOST": "::1", "MONGO_USER": "second", "EVENTS_QUEUE_URL": "https://sqs.example/q", "SECRETS_ID": "x", "PORT_FILE": "/etc/passwd"}`,
			"mongo":  `{"MONGO_USER": "mongo", "HOST": "hunter2"}`,
		}),
	})
	if c.Port != 1 || c.Host != "::1" || c.MongoUser != "mongo" || c.EventsQueueURL == "" || c.LogLevel.Level() >= 0 {
		t.Errorf("port %d, host %s, user %s, queue %s, level %v", c.Port, c.Host, c.MongoUser, c.EventsQueueURL, c.LogLevel.Level())
	}
	want := []string{
		`"HOST" in secret mongo is not a setting that it can hold`,
		`"PROT" in secret first is not a setting that it can hold; did you mean PORT?`,
		`"username" in secret first is not a setting that it can hold`,
		`"PORT_FILE" in secret second is not a setting that it can hold`,
		`"SECRETS_ID" in secret second is not a setting that it can hold`,
	}
	if diff := cmp.Diff(want, c.Warnings()); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	for _, name := range []string{"PORT", "HOST", "MONGO_USER", "EVENTS_QUEUE_URL"} {
		if s := setting(t, c, name); s.Value != "****" || !s.Secret {
			t.Errorf("%s is listed as %+v", name, s)
		}
	}
	if shown := fmt.Sprintf("%v %+v %#v", c.Warnings(), c.Settings(), setting(t, c, "HOST")); strings.Contains(shown, "hunter2") {
		t.Errorf("a value is shown: %s", shown)
	}
}

// A connection string would win over a host that somebody has set above the secret.
func TestSecretDoesNotOverrideTheHost(t *testing.T) {
	c := mustLoad(t, config.Source{
		Environ: []string{"MONGO_HOST=near.example", "MONGO_SECRET_ID=m"},
		Secrets: kept(map[string]string{"m": "mongodb://u:hunter2@far.example"}),
	})
	if c.MongoURI != "" || c.MongoHost != "near.example" {
		t.Errorf("the secret's connection string is used")
	}
	want := []string{"MONGO_URI in secret m is not used, as MONGO_HOST is set (environment)"}
	if diff := cmp.Diff(want, c.Warnings()); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestWrongSecrets(t *testing.T) {
	const marker = "hunter2"
	for text, want := range map[string]string{
		`{"password": "hunter2"`:                                      "holds no JSON object",
		`{"password": "hunter2", "password": "x"}`:                    "each name once",
		`{"MONGO_PASSWORD": ["hunter2"]}`:                             `"MONGO_PASSWORD" in secret s is a JSON [`,
		`{"port": "hunter2"}`:                                         "MONGO_PORT=**** (secret s): give a whole number from 1 to 65535",
		`{"host": "hunter2:1"}`:                                       "MONGO_HOST=**** (secret s): give an IP address",
		`{"MONGO_URI": "postgres://hunter2@x"}`:                       "MONGO_URI=**** (secret s): give a MongoDB connection string",
		"{\"MONGO_URI\": \"\\ud800hunter2\"}":                         "holds no JSON object",
		`{"MONGO_TIMEOUT": "hunter2", "MONGO_MAX_POOL_SIZE": "many"}`: "MONGO_TIMEOUT=**** (secret s): give a duration",
	} {
		_, err := config.Load(config.Source{Environ: []string{"MONGO_SECRET_ID=s"}, Secrets: kept(map[string]string{"s": text})})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), marker) {
			t.Errorf("of %s is said: %v; want %s", text, err, want)
		}
	}
	_, err := config.Load(config.Source{
		Environ: []string{"SECRETS_ID=s", "READ_TIMEOUT=1h"},
		Secrets: kept(map[string]string{"s": `{"DELIVERY_BACKOFF_MIN": "77m", "DELIVERY_BACKOFF_MAX": "66m"}`}),
	})
	if err == nil || strings.Contains(err.Error(), "77") || !strings.Contains(err.Error(), `READ_TIMEOUT="1h"`) {
		t.Errorf("of two that do not go together is said: %v", err)
	}
	if _, err := config.Load(config.Source{Environ: []string{"SECRETS_ID=s"}, Secrets: kept(map[string]string{"s": marker})}); err == nil ||
		strings.Contains(err.Error(), marker) {
		t.Errorf("SECRETS_ID with a text alone: %v", err)
	}
}

func TestSecretIDs(t *testing.T) {
	never := func([]string) ([]string, error) { return nil, errors.New("asked") }
	for value, right := range map[string]bool{
		"orders/mongo": true, "arn:aws:secretsmanager:eu-west-1:123456789012:secret:orders-AbCdEf": true, "a,b": true,
		"a, b": false, "a,,b": false, "a b": false, strings.Repeat("a,", 10) + "a": false, strings.Repeat("a", 1001): false,
	} {
		_, err := config.Load(config.Source{Environ: []string{"SECRETS_ID=" + value}, Secrets: never})
		if asked := err != nil && err.Error() == "asked"; asked != right || err == nil {
			t.Errorf("SECRETS_ID=%.50s: %v, want it taken: %t", value, err, right)
		}
	}
	if _, err := config.Load(config.Source{Environ: []string{"PORT=1"}, Secrets: never}); err != nil {
		t.Errorf("without an id: %v", err)
	}
	// Where nobody reads secrets, what one of them may hold is not missed.
	if _, err := config.Load(config.Source{Environ: []string{"EVENTS=sqs", "SECRETS_ID=s"}}); err != nil {
		t.Errorf("unread: %v", err)
	}
}

func TestReload(t *testing.T) {
	inFolder(t, map[string]string{"password.txt": "one", ".env": "LOG_LEVEL=ERROR\nPROT=1\n"})
	src := config.Source{
		EnvFile: ".env", Environ: []string{"MONGO_PASSWORD_FILE=password.txt", "MONGO_SECRET_ID=s"},
		Secrets: kept(map[string]string{"s": `{"username": "one", "port": 1}`}),
	}
	first := mustLoad(t, src)
	if !first.MayChange() || mustLoad(t, config.Source{Environ: []string{"PORT=1"}}).MayChange() {
		t.Error("what may change is not known")
	}
	inFolder(t, map[string]string{"password.txt": "two", ".env": "LOG_LEVEL=DEBUG\n"})
	next, err := first.Reload(kept(map[string]string{"s": `{"username": "two", "port": 1}`}))
	if err != nil {
		t.Fatal(err)
	}
	if next.MongoUser != "two" || next.MongoPassword != "two" || next.LogLevel != first.LogLevel {
		t.Errorf("user %s, password %s, level %v", next.MongoUser, string(next.MongoPassword), next.LogLevel)
	}
	if diff := cmp.Diff([]string{"MONGO_USER", "MONGO_PASSWORD"}, next.Differences(first)); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(first.Warnings(), next.Warnings()); diff != "" || len(next.Warnings()) != 1 {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	if _, err := next.Reload(kept(nil)); err == nil {
		t.Error("a secret that is gone is no error")
	}
}
