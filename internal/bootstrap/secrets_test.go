package bootstrap_test

import (
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/infrastructure/aws/awstest"
	"order-processing-service/internal/interfaces/cli"
)

// marker is in every value of a secret that must not be seen.
const marker = "hunter2"

// vault is a Secrets Manager with the secrets of a test, which the program finds.
type vault struct {
	secrets map[string]string // by id
	asked   atomic.Int64
}

func newVault(t *testing.T, secrets map[string]string) *vault {
	t.Helper()
	v := &vault{secrets: secrets}
	c := awstest.Serve(t, func(_ string, body []byte) (int, any) {
		v.asked.Add(1)
		var call struct {
			SecretID string `json:"SecretId"`
		}
		if err := json.Unmarshal(body, &call); err != nil {
			t.Errorf("a call with %s: %v", body, err)
		}
		text, there := v.secrets[call.SecretID]
		if !there {
			return http.StatusBadRequest, awstest.Refusal("ResourceNotFoundException")
		}
		return http.StatusOK, map[string]string{"SecretString": text}
	})
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": *c.BaseEndpoint, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "",
	} {
		t.Setenv(name, value)
	}
	return v
}

func TestConfigCommandHidesSecrets(t *testing.T) {
	newVault(t, map[string]string{
		"orders/mongo": `{"username": "u-hunter2", "password": "p-hunter2", "host": "h-hunter2.example", "port": 27018}`,
		"orders/more":  `{"EVENT_BUS_NAME": "b-hunter2", "LOG_LEVEL": "ERROR"}`,
	})
	environ := map[string]string{"MONGO_SECRET_ID": "orders/mongo", "SECRETS_ID": "orders/more", "LOG_LEVEL": "INFO"}
	for _, args := range [][]string{{"config"}, {"config", "--output", "json"}} {
		code, out, errors := orders(t, environ, "MONGO_PORT=1\n", args...)
		if code != cli.ExitOK || errors != "" || strings.Contains(out, marker) {
			t.Errorf("%v: exit code %d, errors %q, output\n%s", args, code, errors, out)
		}
		if len(args) > 1 {
			continue
		}
		for _, want := range []string{
			"MONGO_PASSWORD **** secret orders/mongo", "MONGO_HOST **** secret orders/mongo", "MONGO_USER **** secret orders/mongo", "MONGO_PORT 1 .env",
			"EVENT_BUS_NAME **** secret orders/more", "LOG_LEVEL INFO environment", "MONGO_SECRET_ID orders/mongo environment",
		} {
			if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
				t.Errorf("no line %q in\n%s", want, out)
			}
		}
	}
}

// What is wrong with a secret stops every command that works on the store, in one line without a value.
func TestWrongSecretsStopTheStart(t *testing.T) {
	newVault(t, map[string]string{
		"uri":       `{"MONGO_URI": "mongodb://root:hunter2@/x/y@db"}`,
		"driver":    `{"MONGO_URI": "mongodb://root:hunter2@db/?tls=hunter2"}`,
		"escape":    "mongodb://root:hun%hunter2@db",
		"wrong":     `{"host": "hunter2:1"}`,
		"truncated": `{"password": "hunter2`,
	})
	for id, tt := range map[string]struct {
		code int
		want string
	}{
		"uri":       {cli.ExitUsage, "MONGO_URI can't be read"},
		"driver":    {cli.ExitUsage, "MONGO_URI can't be read"},
		"escape":    {cli.ExitUsage, "MONGO_URI can't be read"},
		"wrong":     {cli.ExitUsage, "MONGO_HOST=**** (secret wrong): give"},
		"truncated": {cli.ExitUsage, "secret truncated holds no JSON object"},
		"missing":   {cli.ExitFailure, `secret "missing" does not exist; create it, or correct MONGO_SECRET_ID`},
	} {
		for _, args := range [][]string{{"serve"}, {"mongo", "migrate"}, {"mongo", "indexes"}, {"copy", "--from", "mongodb:", "--to", "sqlite:new.db"}} {
			// The password of the environment would do, but nobody names a secret for nothing.
			code, out, errors := orders(t, map[string]string{"MONGO_SECRET_ID": id, "MONGO_PASSWORD": "x", "PORT": "0"}, "", args...)
			if code != tt.code || !strings.HasPrefix(errors, "orders: "+tt.want) || strings.Count(errors, "\n") != 1 {
				t.Errorf("%s, %v: exit code %d, errors\n%s", id, args, code, errors)
			}
			if strings.Contains(out+errors, marker) {
				t.Errorf("%s, %v shows a value: %s%s", id, args, out, errors)
			}
		}
	}
}

// AWS is asked for what the settings name, and for nothing by who only looks whether the service is well.
func TestWhoReadsSecrets(t *testing.T) {
	v := newVault(t, map[string]string{"s": `{"MONGO_DB": "shop"}`})
	if code, _, errors := orders(t, nil, "", "config"); code != cli.ExitOK || v.asked.Load() != 0 {
		t.Errorf("no secret is named: exit code %d, %d calls, errors %s", code, v.asked.Load(), errors)
	}
	environ := map[string]string{"SECRETS_ID": "s", "PORT": "1", "EVENTS": "sqs"}
	if code, _, errors := orders(t, environ, "", "healthcheck"); code != cli.ExitFailure || v.asked.Load() != 0 {
		t.Errorf("healthcheck: exit code %d, %d calls, errors %s", code, v.asked.Load(), errors)
	}
	delete(environ, "EVENTS")
	if code, out, errors := orders(t, environ, "", "mongo", "indexes"); code != cli.ExitOK || v.asked.Load() != 1 || !strings.Contains(out, `getSiblingDB("shop")`) {
		t.Errorf("indexes: exit code %d, %d calls, errors %s", code, v.asked.Load(), errors)
	}
}

func TestNoRegion(t *testing.T) {
	newVault(t, nil)
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	code, _, errors := orders(t, map[string]string{"SECRETS_ID": "s"}, "", "config")
	if code != cli.ExitFailure || !strings.Contains(errors, "set AWS_REGION") || strings.Count(errors, "\n") != 1 {
		t.Errorf("exit code %d, errors %s", code, errors)
	}
}
