package lambdafn_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/access"
)

// TestAuthorizers gives what each kind of authorizer says, as it stands in the events of API Gateway.
func TestAuthorizers(t *testing.T) {
	const (
		rest     = `{"httpMethod":"GET","path":"/orders","requestContext":{"stage":"prod","authorizer":`
		newer    = `{"version":"2.0","rawPath":"/orders","requestContext":{"http":{"method":"GET","path":"/orders"},"authorizer":`
		balancer = `{"httpMethod":"GET","path":"/orders","requestContext":{"elb":{"targetGroupArn":"arn"},"authorizer":`
	)
	type claims = map[string]any
	tests := map[string]struct {
		event string
		want  claims // nil for none
	}{
		"REST, Lambda": {
			rest + `{"principalId":"ana","scope":"orders:read","integrationLatency":7}}}`,
			claims{"principalId": "ana", "sub": "ana", "scope": "orders:read", "integrationLatency": 7.0},
		},
		"REST, Cognito": {
			rest + `{"claims":{"sub":"ana","scope":"orders:read","exp":"1772366400"}}}}`,
			claims{"sub": "ana", "scope": "orders:read", "exp": "1772366400"},
		},
		"HTTP, JWT": {
			newer + `{"jwt":{"claims":{"sub":"ana","scp":"[orders:read]"},"scopes":["orders:read"]}}}}`,
			claims{"sub": "ana", "scp": "[orders:read]"},
		},
		"HTTP, Lambda": {newer + `{"lambda":{"sub":"ana","scope":"orders:read"}}}}`, claims{"sub": "ana", "scope": "orders:read"}},
		"HTTP, IAM": {
			newer + `{"iam":{"accessKey":"AKIA","userArn":"arn:aws:iam::1:user/ana","userId":"AIDA"}}}}`,
			claims{"sub": "arn:aws:iam::1:user/ana"},
		},
		"HTTP, only claims": {newer + `{"claims":{"sub":"ana"}}}}`, nil},
		"HTTP, JWT null":    {newer + `{"jwt":null,"lambda":null}}}`, nil},
		"empty":             {rest + `{}}}`, nil},
		"null":              {rest + `null}}`, nil},
		"text":              {rest + `"ana"}}`, nil},
		"a list":            {newer + `[1]}}`, nil},
		"load balancer":     {balancer + `{"principalId":"ana"}}}`, nil},
		"none":              {`{"httpMethod":"GET","path":"/orders","requestContext":{}}`, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			asked := false
			ask(t, func(w http.ResponseWriter, r *http.Request) {
				asked = true
				got, ok := access.Claims(r.Context())
				if diff := cmp.Diff(tt.want, got); diff != "" || ok != (tt.want != nil) {
					t.Errorf("claims, %t (-want +got):\n%s", ok, diff)
				}
				w.WriteHeader(http.StatusNoContent)
			}, "", tt.event)
			if !asked {
				t.Error("the API was not asked")
			}
		})
	}
}
