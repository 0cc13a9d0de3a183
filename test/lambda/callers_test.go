//go:build unix

package lambda_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"

	"order-processing-service/test/lambda"
)

// TestAuthorizer has API Gateway's authorizer say who calls, and nobody else believed.
func TestAuthorizer(t *testing.T) {
	r := lambda.NewRuntime(t)
	lambda.Start(t, lambda.Config{Runtime: r, Dir: t.TempDir(), Settings: map[string]string{
		"APP_ENV": "production", "AUTH": "gateway", "HOST": "0.0.0.0", // which is not listened on
	}})
	ask := func(authorizer string, headers map[string]string) events.APIGatewayV2HTTPResponse {
		t.Helper()
		var event map[string]any
		if err := json.Unmarshal(post(t, "GET", "/orders", ""), &event); err != nil {
			t.Fatal(err)
		}
		event["headers"] = headers
		if authorizer != "" {
			var said any
			if err := json.Unmarshal([]byte(authorizer), &said); err != nil {
				t.Fatal(err)
			}
			inner, ok := event["requestContext"].(map[string]any)
			if !ok {
				t.Fatal("the event has no context")
			}
			inner["authorizer"] = said
		}
		text, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		var a events.APIGatewayV2HTTPResponse
		if err := json.Unmarshal(r.Invoke(t, text), &a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	for name, tt := range map[string]struct {
		authorizer string
		headers    map[string]string
		status     int
	}{
		"a token":          {`{"jwt":{"claims":{"sub":"ana","scope":"orders:read"},"scopes":null}}`, nil, http.StatusOK},
		"a Lambda":         {`{"lambda":{"sub":"ana","scope":"orders:read"}}`, nil, http.StatusOK},
		"without scopes":   {`{"iam":{"userArn":"arn:aws:iam::1:user/ana"}}`, nil, http.StatusForbidden},
		"nobody":           {"", nil, http.StatusUnauthorized},
		"in a header":      {"", map[string]string{"authorizer": `{"sub":"ana"}`, "requestcontext": "x", "principalid": "ana"}, http.StatusUnauthorized},
		"a client's token": {"", map[string]string{"authorization": "Bearer " + strings.Repeat("a.", 2) + "a"}, http.StatusUnauthorized},
	} {
		if a := ask(tt.authorizer, tt.headers); a.StatusCode != tt.status {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.Body)
		}
	}
}
