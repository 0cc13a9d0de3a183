//go:build unix

package lambda_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"order-processing-service/test/collector"
	"order-processing-service/test/lambda"
	"order-processing-service/test/process"
)

// The traces of an invocation, and of a caller.
const (
	invocation       = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=25:a1b2c3:0"
	invocationTrace  = "5759e988bd862e3fe1be46a994272793"
	invocationParent = "53995c3f42cd8ad8"
	callersTrace     = "4bf92f3577b34da6a3ce929d0e0e4736"
	callersSpan      = "00f067aa0ba902b7"
)

// withHeader is an event of post with a header.
func withHeader(t *testing.T, event []byte, name, value string) []byte {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal(event, &e); err != nil {
		t.Fatal(err)
	}
	headers, ok := e["headers"].(map[string]any)
	if !ok {
		t.Fatalf("the event has no headers: %s", event)
	}
	headers[name] = value
	event, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return event
}

// differ compares some of a span's attributes, or of its resource's.
func differ(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: %s is %q, want %q", what, name, got[name], value)
		}
	}
}

// TestTraces has invocations in a trace of X-Ray. All of their spans have come before the answer, as the function may never go on
// after it.
func TestTraces(t *testing.T) {
	inTime(t, func() string { return traced(t) })
}

// late tells whether spans were given up, as the collector took longer than an invocation waits for it. That is said when the function
// goes on, if ever; but then some of those that are wanted have not come.
func late(t *testing.T, f *lambda.Function, c *collector.Collector, wanted ...string) (problem string) {
	t.Helper()
	for _, name := range wanted {
		if len(c.Named(name)) == 0 {
			return "no span " + name + " has come before the answer"
		}
	}
	if slices.ContainsFunc(f.Lines(t), func(l process.Line) bool { return strings.HasPrefix(l.Message, "Traces can't be exported") }) {
		return "the collector took longer than the function waits for it"
	}
	return ""
}

// traced tells what had not come in time, so that there is no more to say.
func traced(t *testing.T) (problem string) {
	t.Helper()
	c := collector.Start(t)
	r := lambda.NewRuntime(t)
	_, f := withBus(t, r, t.TempDir(), "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL)
	id := placed(t, r.BeginTraced(post(t, "POST", "/orders", newOrder), process.Patience, invocation).Await(t).Payload)
	f.Freeze(t)
	if problem = late(t, f, c, "POST /orders", "send events", "EventBridge/PutEvents"); problem != "" {
		return problem
	}
	request, told, call := c.One(t, "POST /orders"), c.One(t, "send events"), c.One(t, "EventBridge/PutEvents")
	if request.TraceID != invocationTrace || request.ParentID != invocationParent || len(request.Links) > 0 {
		t.Errorf("the request is %+v", request)
	}
	if diff := cmp.Diff([]collector.Place{request.Place()}, told.Links); diff != "" || told.TraceID == invocationTrace {
		t.Errorf("what is told is in the trace %s; links (-want +got):\n%s", told.TraceID, diff)
	}
	if call.TraceID != told.TraceID || call.ParentID != told.SpanID || call.Kind != "CLIENT" {
		t.Errorf("the call of AWS is %+v", call)
	}
	const arn = "arn:aws:lambda:eu-west-1:111122223333:function:orders"
	differ(t, "request", request.Attributes, map[string]string{
		"faas.trigger": "http", "faas.coldstart": "true", "cloud.resource_id": arn, "http.response.status_code": "201",
	})
	differ(t, "resource", request.Resource, map[string]string{
		"cloud.provider": "aws", "cloud.platform": "aws_lambda", "cloud.region": "eu-west-1", "faas.name": "orders", "faas.version": "$LATEST",
	})
	differ(t, "call", call.Attributes, map[string]string{
		"rpc.system.name": "aws-api", "rpc.method": "EventBridge/PutEvents", "aws.request_id": lambda.RequestID, "cloud.region": "eu-west-1",
	})
	f.Thaw(t)

	// A caller with a trace of its own has the request in it, which is linked to the invocation.
	event := withHeader(t, post(t, "GET", "/orders/"+id, ""), "traceparent", "00-"+callersTrace+"-"+callersSpan+"-01")
	r.BeginTraced(event, process.Patience, invocation).Await(t)
	if problem = late(t, f, c, "GET /orders/{order_id}"); problem != "" {
		return problem
	}
	read := c.One(t, "GET /orders/{order_id}")
	want := []collector.Place{{TraceID: invocationTrace, SpanID: invocationParent}}
	if diff := cmp.Diff(want, read.Links); diff != "" || read.TraceID != callersTrace || read.ParentID != callersSpan {
		t.Errorf("the request is in the trace %s below %s; links (-want +got):\n%s", read.TraceID, read.ParentID, diff)
	}
	differ(t, "second request", read.Attributes, map[string]string{"faas.coldstart": "false"})

	// Messages are part of the invocation, and linked to what sent them.
	payload := r.BeginTraced(batch(t, "queue", message{id: "m-1", body: paid(id)}, message{id: "m-2", body: "no command"}), process.Patience, invocation).Await(t).Payload
	if diff := cmp.Diff([]string{"m-2"}, failures(t, payload)); diff != "" {
		t.Errorf("failures (-want +reported):\n%s", diff)
	}
	if problem = late(t, f, c, "process commands", "change order"); problem != "" {
		return problem
	}
	messages := c.Named("process commands")
	if len(messages) != 2 {
		return fmt.Sprintf("messages are %+v", messages)
	}
	sender := []collector.Place{{TraceID: "6742f0a14c0ffee5ba5eba11decade00", SpanID: "53995c3f42cd8ad8"}}
	for _, m := range messages {
		if diff := cmp.Diff(sender, m.Links); diff != "" || m.TraceID != invocationTrace || m.ParentID != invocationParent || m.Kind != "CONSUMER" {
			t.Errorf("a message is %+v; links (-want +got):\n%s", m, diff)
		}
		differ(t, "message", m.Attributes, map[string]string{"faas.trigger": "pubsub", "messaging.system": "aws_sqs", "messaging.operation.type": "process"})
	}
	applied := c.One(t, "change order")
	if !slices.ContainsFunc(messages, func(m collector.Span) bool { return m.SpanID == applied.ParentID }) {
		t.Errorf("the command is applied in %+v", applied)
	}
	for _, l := range f.Lines(t) {
		if l.Message == "request" && (l.TraceID == "" || l.XRayTraceID != "1-"+l.TraceID[:8]+"-"+l.TraceID[8:]) {
			t.Errorf("a line has the trace %q and the X-Ray trace %q", l.TraceID, l.XRayTraceID)
		}
	}
	return ""
}

// TestLinesHaveXRayTraces has them although nothing is traced.
func TestLinesHaveXRayTraces(t *testing.T) {
	r := lambda.NewRuntime(t)
	f := lambda.Start(t, lambda.Config{Runtime: r, Dir: t.TempDir()})
	r.BeginTraced(post(t, "GET", "/orders", ""), process.Patience, invocation).Await(t)
	var traces []string
	for _, l := range f.Lines(t) {
		if l.Message == "request" {
			traces = append(traces, l.XRayTraceID)
		}
	}
	if diff := cmp.Diff([]string{"1-5759e988-bd862e3fe1be46a994272793"}, traces); diff != "" {
		t.Errorf("X-Ray traces of requests (-want +got):\n%s", diff)
	}
}

// TestCollectorIsAway has a collector that never answers: the first invocation waits for it a little, and later ones not at all.
func TestCollectorIsAway(t *testing.T) {
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() }) // what connects is never answered
	r := lambda.NewRuntime(t)
	_, f := withBus(t, r, t.TempDir(), "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+silent.Addr().String())
	quickest := process.Patience
	for n := range 4 {
		begun := time.Now()
		placed(t, r.Begin(post(t, "POST", "/orders", newOrder), process.Patience).Await(t).Payload)
		took := time.Since(begun)
		if took > 8*time.Second {
			t.Errorf("invocation %d takes %v", n, took)
		}
		if n > 1 {
			quickest = min(quickest, took)
		}
	}
	if quickest > time.Second {
		t.Errorf("later invocations take %v", quickest)
	}
	told := 0
	for _, l := range f.Lines(t) {
		if strings.HasPrefix(l.Message, "Traces can't be exported") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the log tells of it %d times", told)
	}
}
