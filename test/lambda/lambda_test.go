package lambda_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"

	"order-processing-service/test/lambda"
)

func TestMain(m *testing.M) { lambda.Main(m) }

func TestThin(t *testing.T) {
	r := lambda.NewRuntime(t)
	f := lambda.Start(t, lambda.Config{Runtime: r, Dir: t.TempDir()})
	var a events.APIGatewayV2HTTPResponse
	text := r.Invoke(t, []byte(`{"version":"2.0","rawPath":"/orders","rawQueryString":"","headers":{"content-type":"application/json"},
		"requestContext":{"http":{"method":"POST","sourceIp":"1.2.3.4"},"stage":"$default","requestId":"abc"},
		"body":"{\"customer_id\":\"c-1\",\"items\":[{\"sku\":\"TEA\",\"quantity\":1,\"unit_price\":2}]}"}`))
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, l := range f.Lines(t) {
		out.WriteString(l.Text)
	}
	t.Logf("%s\n%s", text, out.String())
	if a.StatusCode != 201 {
		t.Error(a)
	}
}
