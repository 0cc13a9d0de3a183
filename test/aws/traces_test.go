package aws_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"order-processing-service/test/collector"
)

// A command is linked to what sent it, what it changes is told in a trace that is linked to the command, and the calls of AWS are
// part of that.
func TestTraces(t *testing.T) {
	const sender, senderSpan = "5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
	var id string
	s := newShop(t, "", &id)
	s.makeBus(t, s.makeQueue(t, "-told"), "order-processing-service")
	spans := collector.Start(t)
	worker := s.work(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+spans.URL, "EVENTS=eventbridge", "EVENT_BUS_NAME="+s.name)
	_, err := s.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: &s.commands, MessageBody: aws.String(`{"type":"PaymentSucceeded","orderId":"` + id + `"}`),
		MessageSystemAttributes: map[string]sqstypes.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=" + senderSpan + ";Sampled=1")},
		},
	})
	must(t, err)
	spans.Await(t, "send events", 1)
	worker.stop()

	command, change, told := spans.One(t, "process commands"), spans.One(t, "change order"), spans.One(t, "send events")
	if diff := cmp.Diff([]collector.Place{{TraceID: sender, SpanID: senderSpan}}, command.Links); diff != "" {
		t.Errorf("links of the command (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]collector.Place{command.Place()}, told.Links); diff != "" {
		t.Errorf("links of what is told (-want +got):\n%s", diff)
	}
	if change.ParentID != command.SpanID {
		t.Errorf("the change is no part of the command: %+v\n%+v", command, change)
	}
	if got := told.Attributes["messaging.system"]; got != "aws_eventbridge" {
		t.Errorf("it is told by %q", got)
	}
	calls := spans.Named("EventBridge/PutEvents")
	if len(calls) != 2 { // an order's two events are never in one call
		t.Errorf("the calls are %+v", calls)
	}
	for _, call := range calls {
		if call.ParentID != told.SpanID || call.Attributes["aws.request_id"] == "" {
			t.Errorf("a call is %+v", call)
		}
	}
	for _, span := range spans.Spans() {
		if span.Failed {
			t.Errorf("%q has failed: %+v", span.Name, span)
		}
	}
}
