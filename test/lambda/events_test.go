//go:build unix

package lambda_test

import (
	"bytes"
	"encoding/json" // the types of aws-lambda-go are made for it
	"io/fs"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"order-processing-service/test/lambda"
	"order-processing-service/test/process"
)

// TestRecordedEvents holds the recorded events against the types of AWS's own library: none has a member that AWS does not
// send, and each has those that the function goes by.
func TestRecordedEvents(t *testing.T) {
	type sweep struct {
		Sweep bool `json:"sweep"`
	}
	type scheduled struct { // as events.CloudWatchEvent, whose detail need not be an object
		events.CloudWatchEvent
		Detail json.RawMessage `json:"detail"`
	}
	tests := map[string]struct {
		into any
		need []string
	}{
		"rest-api":            {new(events.APIGatewayProxyRequest), []string{"Path", "HTTPMethod", "Headers", "MultiValueHeaders", "MultiValueQueryStringParameters", "RequestContext.Path", "RequestContext.Stage", "RequestContext.RequestID", "RequestContext.Identity.SourceIP"}},
		"http-api":            {new(events.APIGatewayV2HTTPRequest), []string{"Version", "RawPath", "RawQueryString", "Cookies", "Headers", "RequestContext.HTTP.Method", "RequestContext.HTTP.SourceIP", "RequestContext.Stage", "RequestContext.DomainName"}},
		"function-url":        {new(events.LambdaFunctionURLRequest), []string{"Version", "RawPath", "RawQueryString", "Cookies", "Headers", "RequestContext.HTTP.Method", "RequestContext.HTTP.SourceIP", "RequestContext.RequestID"}},
		"load-balancer":       {new(events.ALBTargetGroupRequest), []string{"HTTPMethod", "Path", "QueryStringParameters", "Headers", "RequestContext.ELB.TargetGroupArn"}},
		"load-balancer-multi": {new(events.ALBTargetGroupRequest), []string{"HTTPMethod", "Path", "MultiValueQueryStringParameters", "MultiValueHeaders", "RequestContext.ELB.TargetGroupArn"}},
		"queue":               {new(events.SQSEvent), []string{"Records.0.MessageId", "Records.0.Body", "Records.0.EventSource", "Records.0.EventSourceARN", "Records.0.Attributes"}},
		"queue-fifo":          {new(events.SQSEvent), []string{"Records.0.MessageId", "Records.0.Body", "Records.0.EventSource", "Records.0.EventSourceARN", "Records.0.Attributes"}},
		"scheduler":           {new(scheduled), []string{"DetailType", "Source"}},
		"scheduled-rule":      {new(events.CloudWatchEvent), []string{"DetailType", "Source"}},
		"sweep":               {new(sweep), []string{"Sweep"}},
	}
	files, err := fs.Glob(lambda.Recorded, "testdata/*.json")
	if err != nil || len(files) != len(tests) {
		t.Errorf("there are %d recorded events for %d types: %v, %v", len(files), len(tests), files, err)
	}
	for name, tt := range tests {
		d := json.NewDecoder(bytes.NewReader(recorded(t, name)))
		d.DisallowUnknownFields()
		if err := d.Decode(tt.into); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, member := range tt.need {
			if v := at(reflect.ValueOf(tt.into).Elem(), strings.Split(member, ".")); !v.IsValid() || v.IsZero() {
				t.Errorf("%s has no %s", name, member)
			}
		}
	}
}

// at is the member of v at a path of names and indexes.
func at(v reflect.Value, path []string) reflect.Value {
	for _, name := range path {
		if v.Kind() == reflect.Slice {
			if v.Len() == 0 {
				return reflect.Value{}
			}
			v = v.Index(0)
			continue
		}
		v = v.FieldByName(name)
	}
	return v
}

// TestRecordedEventsAreAnswered sends each recorded event to the function as it stands.
func TestRecordedEventsAreAnswered(t *testing.T) {
	r := lambda.NewRuntime(t)
	lambda.Start(t, lambda.Config{Runtime: r, Dir: t.TempDir()})
	for _, name := range []string{lambda.RESTAPI, lambda.HTTPAPI, lambda.FunctionURL, lambda.LoadBalancer, lambda.LoadBalancerMulti} {
		var a struct {
			StatusCode int    `json:"statusCode"`
			Body       string `json:"body"`
		}
		if err := json.Unmarshal(r.Invoke(t, recorded(t, name)), &a); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(`{"orders":[],"next_cursor":null}`, a.Body); a.StatusCode != http.StatusOK || diff != "" {
			t.Errorf("%s: status %d, %s", name, a.StatusCode, diff)
		}
	}
	for _, name := range []string{"scheduler", "scheduled-rule", "sweep"} {
		if got := string(r.Invoke(t, recorded(t, name))); got != `{"left":0,"complete":true}` {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestUnknownEvents has events that are none of the function's. Whoever sent them is told so, and the function goes on.
func TestUnknownEvents(t *testing.T) {
	r := lambda.NewRuntime(t)
	lambda.Start(t, lambda.Config{Runtime: r, Dir: t.TempDir()})
	for name, event := range map[string]string{
		"nothing":      `{}`,
		"no object":    `"hello"`,
		"null":         `null`,
		"a bucket":     `{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","s3":{"bucket":{"name":"b"}}}]}`,
		"a topic":      `{"Records":[{"EventVersion":"1.0","EventSource":"aws:sns","Sns":{"Message":"m"}}]}`,
		"no records":   `{"Records":[]}`,
		"another rule": `{"version":"0","detail-type":"OrderCreated","source":"order-processing-service","detail":{"orderId":"x"}}`,
		"a WebSocket":  `{"requestContext":{"routeKey":"$connect","eventType":"CONNECT","connectionId":"c"},"isBase64Encoded":false}`,
		"another type": `{"httpMethod":["GET"],"path":"/orders","requestContext":{}}`,
		"no method":    `{"version":"2.0","rawPath":"/orders","requestContext":{"http":{}}}`,
	} {
		a := r.Begin([]byte(event), process.Patience).Await(t)
		var report struct{ ErrorMessage, ErrorType string }
		if err := json.Unmarshal(a.Payload, &report); err != nil {
			t.Fatal(err)
		}
		if !a.Failed || report.ErrorType != "EventError" || !strings.Contains(report.ErrorMessage, "check what invokes the function") {
			t.Errorf("%s: %s", name, a.Payload)
		}
	}
	r.Invoke(t, recorded(t, "http-api"))
}
