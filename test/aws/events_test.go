package aws_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// told is an event as a consumer sees it.
type told struct {
	id, order string
	sequence  int
}

// readEnvelope reads what an EventBridge rule sends, and holds the detail against its JSON Schema.
func readEnvelope(t *testing.T, schemas *jsonschemas, m sqstypes.Message) told {
	t.Helper()
	var envelope struct {
		Source     string   `json:"source"`
		DetailType string   `json:"detail-type"`
		Resources  []string `json:"resources"`
		Detail     struct {
			EventID  string `json:"eventId"`
			OrderID  string `json:"orderId"`
			Sequence int    `json:"sequence"`
		} `json:"detail"`
	}
	must(t, json.Unmarshal([]byte(*m.Body), &envelope, json.RejectUnknownMembers(false)))
	d := envelope.Detail
	if envelope.Source != "order-processing-service" || !slices.Equal(envelope.Resources, []string{"orders/" + d.OrderID}) ||
		d.EventID != d.OrderID+"-"+strconv.Itoa(d.Sequence) {
		t.Errorf("envelope %s", *m.Body)
	}
	detail, err := jsonschema.UnmarshalJSON(strings.NewReader(*m.Body))
	must(t, err)
	object, _ := detail.(map[string]any)
	schemas.check(t, object["detail"], "components", "messages", envelope.DetailType, "payload", "properties", "data")
	return told{d.EventID, d.OrderID, d.Sequence}
}

// readCloudEvent reads what is sent to a queue, and holds it against its JSON Schema.
func readCloudEvent(t *testing.T, schemas *jsonschemas, m sqstypes.Message) told {
	t.Helper()
	var e struct {
		ID      string `json:"id"`
		Type    string `json:"type"`
		Subject string `json:"subject"`
		Data    struct {
			Sequence int `json:"sequence"`
		} `json:"data"`
	}
	must(t, json.Unmarshal([]byte(*m.Body), &e, json.RejectUnknownMembers(false)))
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(*m.Body))
	must(t, err)
	schemas.check(t, value, "components", "messages", e.Type, "payload")
	return told{e.ID, e.Subject, e.Data.Sequence}
}

// jsonschemas are those of /asyncapi.json.
type jsonschemas struct {
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
}

const asyncAPI = "http://contract/asyncapi.json"

func (s *service) schemas(t *testing.T) *jsonschemas {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(s.get(t, "/asyncapi.json"))))
	must(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	must(t, c.AddResource(asyncAPI, document))
	return &jsonschemas{compiler: c, compiled: map[string]*jsonschema.Schema{}}
}

func (j *jsonschemas) check(t *testing.T, value any, place ...string) {
	t.Helper()
	at := asyncAPI + "#/" + strings.Join(place, "/")
	if j.compiled[at] == nil {
		schema, err := j.compiler.Compile(at)
		must(t, err)
		j.compiled[at] = schema
	}
	check(t, j.compiled[at].Validate(value))
}

// checkSequences holds that each order's events came in sequence, from 1, each at least once, and at most extra of them
// again.
func checkSequences(t *testing.T, events []told, want map[string]int, extra int) {
	t.Helper()
	seen := map[string]int{}
	again := 0
	for _, e := range events {
		switch {
		case e.sequence == seen[e.order]+1:
			seen[e.order]++
		case e.sequence <= seen[e.order]:
			again++
		default:
			t.Errorf("event %s came after sequence %d", e.id, seen[e.order])
		}
	}
	for order, count := range want {
		if seen[order] != count {
			t.Errorf("%d of %d events of order %s came", seen[order], count, order)
		}
	}
	if again > extra {
		t.Errorf("%d events came again, at most %d may", again, extra)
	}
}

func total(want map[string]int) (sum int) {
	for _, count := range want {
		sum += count
	}
	return sum
}

func TestEventBridge(t *testing.T) {
	c := newCloud(t)
	queue := c.makeQueue(t, "")
	c.makeBus(t, queue, "order-processing-service")
	c.makeBucket(t)
	s := start(t, "EVENTS=eventbridge", "EVENT_BUS_NAME="+c.name, "MANIFESTS=s3", "MANIFEST_BUCKET="+c.name)
	schemas := s.schemas(t)
	want := map[string]int{}
	for range 5 {
		id, events := s.live(t)
		want[id] = events
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var events []told
	for _, m := range c.receive(ctx, t, queue, total(want)) {
		events = append(events, readEnvelope(t, schemas, m))
	}
	checkSequences(t, events, want, 0)
	s.awaitTold(t)
	for id := range want {
		checkManifest(t, c, s, id)
	}
}

// checkManifest holds that the manifest in the bucket is the order.
func checkManifest(t *testing.T, c *cloud, s *service, id string) {
	t.Helper()
	object, err := c.s3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &c.name, Key: aws.String(id + ".json")})
	must(t, err)
	defer object.Body.Close()
	body, err := io.ReadAll(object.Body)
	must(t, err)
	if diff := cmp.Diff(string(s.get(t, "/orders/"+id)), string(body)); diff != "" {
		t.Errorf("the manifest is not the order (-order +manifest):\n%s", diff)
	}
}

func TestQueues(t *testing.T) {
	for _, suffix := range []string{"", ".fifo"} {
		t.Run("orders"+suffix, func(t *testing.T) {
			c := newCloud(t)
			queue := c.makeQueue(t, suffix)
			s := start(t, "EVENTS=sqs", "EVENTS_QUEUE_URL="+queue)
			schemas := s.schemas(t)
			want := map[string]int{}
			for range 5 {
				id, events := s.live(t)
				want[id] = events
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			var events []told
			for _, m := range c.receive(ctx, t, queue, total(want)) {
				e := readCloudEvent(t, schemas, m)
				if suffix != "" && (m.Attributes["MessageGroupId"] != e.order || m.Attributes["MessageDeduplicationId"] != e.id) {
					t.Errorf("attributes %v of %s", m.Attributes, e.id)
				}
				events = append(events, e)
			}
			checkSequences(t, events, want, 0)
		})
	}
}

// What happened before there was a bus, or a bucket, is told once there is.
func TestBusAndBucketComeLater(t *testing.T) {
	c := newCloud(t)
	network, url := newFaulty(t, c.endpoint)
	network.heal()
	t.Setenv("AWS_ENDPOINT_URL", url)
	s := start(t, "EVENTS=eventbridge", "EVENT_BUS_NAME="+c.name, "MANIFESTS=s3", "MANIFEST_BUCKET="+c.name)
	want := map[string]int{}
	for range 20 {
		id, events := s.live(t)
		want[id] = events
	}
	s.await(t, "Subscriber is not there; what it is to be told waits", 1)
	// What a bus is told before it has a rule goes nowhere, so nothing gets there until all is made.
	network.leave()
	queue := c.makeQueue(t, "")
	c.makeBus(t, queue, "order-processing-service")
	c.makeBucket(t)
	network.heal()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	schemas := s.schemas(t)
	var events []told
	for _, m := range c.receive(ctx, t, queue, total(want)) {
		events = append(events, readEnvelope(t, schemas, m))
	}
	checkSequences(t, events, want, 0)
	s.awaitTold(t)
	for id := range want {
		checkManifest(t, c, s, id)
	}
	if body, err := s.ask(t.Context(), http.MethodGet, "/deliveries?state=parked", "", http.StatusOK); err != nil || strings.Contains(string(body), "order_id") {
		t.Errorf("parked: %s, %v", body, err)
	}
}
