package secretsmanager_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/infrastructure/aws/awstest"
	"order-processing-service/internal/infrastructure/aws/secretsmanager"
)

// asked is the id that a call names.
func asked(t *testing.T, operation string, body []byte) string {
	t.Helper()
	var call struct {
		SecretID string `json:"SecretId"`
	}
	if err := json.Unmarshal(body, &call); err != nil || operation != "GetSecretValue" {
		t.Errorf("call %s with %s: %v", operation, body, err)
	}
	return call.SecretID
}

func TestRead(t *testing.T) {
	const (
		patience = 10 * time.Second
		name     = "orders/mongo"
	)
	var arrived atomic.Int64
	both := make(chan struct{})
	reader := secretsmanager.New(secretsmanager.Config{AWS: awstest.Serve(t, func(operation string, body []byte) (int, any) {
		id := asked(t, operation, body)
		// Both are asked for at the same time: each call waits for the other.
		if arrived.Add(1) == 2 {
			close(both)
		}
		select {
		case <-both:
		case <-time.After(patience):
			t.Error("the secrets are read one after the other")
		}
		return http.StatusOK, map[string]string{"Name": id, "SecretString": "text of " + id}
	})})
	got, err := reader.Read(t.Context(), []string{name, "other"})
	if want := []string{"text of " + name, "text of other"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("Read: %q, %v; want %q", got, err, want)
	}
	if got, err := reader.Read(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("Read of nothing: %q, %v", got, err)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	const marker = "hunter2"
	tests := map[string]struct {
		status int
		answer any
		want   string
	}{
		"missing":    {http.StatusBadRequest, awstest.Refusal("ResourceNotFoundException"), `secret "s" does not exist; create it, or correct MONGO_SECRET_ID`},
		"denied":     {http.StatusBadRequest, awstest.Refusal("AccessDeniedException"), "allow secretsmanager:GetSecretValue"},
		"key":        {http.StatusBadRequest, awstest.Refusal("DecryptionFailure"), "allow kms:Decrypt"},
		"key denied": {http.StatusBadRequest, map[string]string{"__type": "AccessDeniedException", "message": "Access to KMS is not allowed"}, "allow kms:Decrypt"},
		"deleted":    {http.StatusBadRequest, awstest.Refusal("InvalidRequestException"), "restore"},
		"name":       {http.StatusBadRequest, awstest.Refusal("ValidationException"), "is no name or ARN"},
		"bytes":      {http.StatusOK, map[string]any{"SecretBinary": []byte(marker)}, "keep it as text (SecretString)"},
		"empty":      {http.StatusOK, map[string]any{"SecretString": " "}, "is empty"},
		"too large":  {http.StatusOK, map[string]any{"SecretString": strings.Repeat(marker, 64<<10/len(marker)+1)}, "is larger than 65536 bytes"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int64
			reader := secretsmanager.New(secretsmanager.Config{AWS: awstest.Serve(t, func(string, []byte) (int, any) {
				calls.Add(1)
				return tt.status, tt.answer
			})})
			texts, err := reader.Read(t.Context(), []string{"s"})
			if err == nil || texts != nil || calls.Load() != 1 {
				t.Fatalf("Read: %q, %v after %d calls", texts, err, calls.Load())
			}
			if said := err.Error(); !strings.Contains(said, tt.want) || !strings.Contains(said, `secret "s"`) || strings.Contains(said, marker) || strings.Contains(said, "\n") {
				t.Errorf("it is said: %s\nwant: %s", said, tt.want)
			}
		})
	}
}

// A Secrets Manager that is away is asked again, and answers when it is back.
func TestAwayForAMoment(t *testing.T) {
	var calls atomic.Int64
	reader := secretsmanager.New(secretsmanager.Config{AWS: awstest.Serve(t, func(string, []byte) (int, any) {
		switch calls.Add(1) {
		case 1:
			return 0, nil
		case 2:
			return http.StatusInternalServerError, awstest.Refusal("InternalServiceError")
		case 3:
			return http.StatusBadRequest, awstest.Refusal("ThrottlingException")
		default:
			return http.StatusOK, map[string]string{"SecretString": "text"}
		}
	})})
	if got, err := reader.Read(t.Context(), []string{"s"}); err != nil || got[0] != "text" {
		t.Errorf("Read: %q, %v", got, err)
	}
}

func TestAwayForTooLong(t *testing.T) {
	reader := secretsmanager.New(secretsmanager.Config{AWS: awstest.Config("http://127.0.0.1:1"), Within: 300 * time.Millisecond})
	_, err := reader.Read(t.Context(), []string{"one", "two"})
	if err == nil || strings.Count(err.Error(), "\n") != 1 || !strings.Contains(err.Error(), `secret "two" can't be reached`) {
		t.Errorf("Read: %v", err)
	}
}

// A secret is read where its ARN says that it is, whatever the region of the rest.
func TestRegionOfTheARN(t *testing.T) {
	var signed atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed.Store(r.Header.Get("Authorization"))
		if _, err := w.Write([]byte(`{"SecretString":"text"}`)); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	reader := secretsmanager.New(secretsmanager.Config{AWS: awstest.Config(server.URL)})
	for id, region := range map[string]string{
		"arn:aws:secretsmanager:us-east-2:123456789012:secret:orders-AbCdEf": "us-east-2", "orders": "eu-west-1",
	} {
		if _, err := reader.Read(t.Context(), []string{id}); err != nil {
			t.Fatal(err)
		}
		if got, _ := signed.Load().(string); !strings.Contains(got, "/"+region+"/secretsmanager/") {
			t.Errorf("%s is asked for with %s", id, got)
		}
	}
}
