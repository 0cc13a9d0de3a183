package image_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The image is a Lambda function too, by the same entry point and command.
func TestImageInLambda(t *testing.T) {
	c := build(t)
	t.Run("Answers", c.answersInvocations)
	t.Run("RefusesFilesThatGetLost", c.refusesFilesThatGetLost)
}

const getHealth = `{"version":"2.0","routeKey":"$default","rawPath":"/health","rawQueryString":"",
	"headers":{"accept":"application/json"},"isBase64Encoded":false,
	"requestContext":{"http":{"method":"GET","path":"/health","protocol":"HTTP/1.1","sourceIp":"192.0.2.1","userAgent":"test"},
	"requestId":"r-1","stage":"$default","domainName":"api.example","apiId":"a-1","accountId":"111122223333"}}`

func (c container) answersInvocations(t *testing.T) {
	said := c.invoke(t, getHealth, "DATA_DIR=/tmp/orders", "MANIFESTS=none")
	var answer struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	if err := json.Unmarshal([]byte(said["response"]), &answer); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("GET /health: %v in %q", err, said)
	}
}

// The image must not say where orders are kept, or the program would take that for an answer.
func (c container) refusesFilesThatGetLost(t *testing.T) {
	if said := c.invoke(t, getHealth, "MANIFESTS=none"); !strings.Contains(said["init/error"], "DATA_DIR") {
		t.Errorf("without a place for orders the function says %q", said)
	}
}

// invoke runs what the image starts by itself as a function with one invocation, and returns what the program tells the
// Runtime API first, by the end of the path that it tells it to.
func (c container) invoke(t *testing.T, event string, settings ...string) map[string]string {
	t.Helper()
	told := make(chan map[string]string, 1)
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	tell := func(what string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			select {
			case told <- map[string]string{what: string(body)}:
			default: // what comes after the first does not count
			}
			w.WriteHeader(http.StatusAccepted)
		}
	}
	invocations := make(chan string, 1)
	invocations <- event
	const api = "/2018-06-01/runtime/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+api+"invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case one := <-invocations:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "i-1")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", "9999999999999")
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:111122223333:function:orders")
			_, _ = io.WriteString(w, one)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST "+api+"invocation/i-1/response", tell("response"))
	mux.HandleFunc("POST "+api+"invocation/i-1/error", tell("error"))
	mux.HandleFunc("POST "+api+"init/error", tell("init/error"))
	server := httptest.NewServer(mux)
	defer server.Close()

	command := c.command(ctx, t, c.said.Command, append(settings, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(server.URL, "http://"))...)
	command.WaitDelay = time.Second
	var output strings.Builder
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var said map[string]string
	select {
	case said = <-told:
	case <-ctx.Done():
	}
	stop()             // kills it; nothing else ends a function
	_ = command.Wait() // with the error that it was killed
	if said == nil {
		t.Fatalf("the function says nothing:\n%s", output.String())
	}
	return said
}
