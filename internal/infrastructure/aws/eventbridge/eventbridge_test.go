package eventbridge_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/aws/awstest"
	"order-processing-service/internal/infrastructure/aws/eventbridge"
)

type entry struct {
	Source, DetailType, Detail, EventBusName, TraceHeader string
	Time                                                  float64
	Resources                                             []string
}

func (e entry) eventID(t *testing.T) string {
	t.Helper()
	var detail struct {
		EventID string `json:"eventId"`
	}
	if err := json.Unmarshal([]byte(e.Detail), &detail); err != nil {
		t.Errorf("detail %s: %v", e.Detail, err)
	}
	return detail.EventID
}

// bus is an EventBridge that answers as the test wants it.
type bus struct {
	missing bool
	denied  bool                       // DescribeEventBus is
	refuse  func(id string) string     // the error code of an entry
	fail    func(calls int) (int, any) // the answer of a whole call
	mu      sync.Mutex
	calls   [][]entry
	puts    int
}

func (b *bus) handle(t *testing.T) awstest.Handler {
	t.Helper()
	return func(operation string, body []byte) (int, any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.missing {
			return http.StatusBadRequest, awstest.Refusal("ResourceNotFoundException")
		}
		switch operation {
		case "DescribeEventBus":
			if b.denied {
				return http.StatusBadRequest, awstest.Refusal("AccessDeniedException")
			}
			return http.StatusOK, map[string]string{"Name": "orders"}
		case "PutEvents":
			return b.put(t, body)
		}
		t.Errorf("operation %s", operation)
		return http.StatusBadRequest, awstest.Refusal("UnknownOperationException")
	}
}

func (b *bus) put(t *testing.T, body []byte) (int, any) {
	t.Helper()
	var input struct{ Entries []entry }
	if err := json.Unmarshal(body, &input); err != nil {
		t.Errorf("body: %v", err)
	}
	b.puts++
	if b.fail != nil {
		if status, answer := b.fail(len(input.Entries)); status != http.StatusOK {
			return status, answer
		}
	}
	var taken []entry
	answers := []map[string]string{}
	failed := 0
	for _, e := range input.Entries {
		if b.refuse != nil {
			if code := b.refuse(e.eventID(t)); code != "" {
				answers = append(answers, map[string]string{"ErrorCode": code, "ErrorMessage": "no"})
				failed++
				continue
			}
		}
		answers = append(answers, map[string]string{"EventId": "x"})
		taken = append(taken, e)
	}
	b.calls = append(b.calls, taken)
	return http.StatusOK, map[string]any{"Entries": answers, "FailedEntryCount": failed}
}

// count is how often PutEvents was called.
func (b *bus) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.puts
}

func (b *bus) taken(t *testing.T) []string {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var ids []string
	for _, call := range b.calls {
		for _, e := range call {
			ids = append(ids, e.eventID(t))
		}
	}
	return ids
}

func (b *bus) events(t *testing.T) *eventbridge.Events {
	t.Helper()
	return eventbridge.New(eventbridge.Config{
		AWS: awstest.Serve(t, b.handle(t)), Bus: "orders",
		DataRef: func(id order.ID) string { return "s3://bucket/" + id.String() + ".json" },
	})
}

func TestEntry(t *testing.T) {
	var b bus
	m := awstest.Message(t, 7, 0)
	id := m.Order.ID().String()
	if diff := cmp.Diff([]delivery.Result{{Told: 1}}, b.events(t).Deliver(t.Context(), []delivery.Message{m})); diff != "" {
		t.Fatalf("results (-want +got):\n%s", diff)
	}
	got := b.calls[0][0]
	if id+"-1" != got.eventID(t) || !strings.Contains(got.Detail, `"orderId":"`+id+`"`) || !strings.Contains(got.Detail, `"items":[{`) {
		t.Errorf("detail %s", got.Detail)
	}
	got.Detail = ""
	if diff := cmp.Diff(entry{
		Source: "order-processing-service", DetailType: "OrderCreated", EventBusName: "orders", Resources: []string{"orders/" + id},
		Time:        float64(awstest.Time().UnixMilli()) / 1000,
		TraceHeader: "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1",
	}, got); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}
}

// Calls take ten entries, of ten orders, so that no event is taken before an earlier one of its order.
func TestCalls(t *testing.T) {
	var b bus
	var messages []delivery.Message
	for n := range 25 {
		messages = append(messages, awstest.Message(t, n, 2))
	}
	for i, r := range b.events(t).Deliver(t.Context(), messages) {
		if r.Told != 3 || r.Err != nil {
			t.Errorf("result %d = %+v", i, r)
		}
	}
	var sizes []int
	sequence := map[string]int{}
	for _, call := range b.calls {
		sizes = append(sizes, len(call))
		orders := map[string]bool{}
		for _, e := range call {
			id, _, _ := strings.Cut(e.eventID(t), "-")
			if orders[id] {
				t.Errorf("order %s is twice in a call", id)
			}
			orders[id] = true
			sequence[id]++
			if want := fmt.Sprintf("%s-%d", id, sequence[id]); e.eventID(t) != want {
				t.Errorf("event %s came for %s", e.eventID(t), want)
			}
		}
	}
	if diff := cmp.Diff([]int{10, 10, 5, 10, 10, 5, 10, 10, 5}, sizes); diff != "" {
		t.Errorf("entries a call (-want +got):\n%s", diff)
	}
}

// An entry that was refused keeps back the later ones of its order, and nothing else.
func TestRefusedEntries(t *testing.T) {
	messages := []delivery.Message{awstest.Message(t, 1, 2), awstest.Message(t, 2, 2), awstest.Message(t, 3, 0)}
	refused, throttled := messages[0].Order.ID().String()+"-2", messages[1].Order.ID().String()+"-1"
	b := bus{refuse: func(id string) string {
		return map[string]string{refused: "InternalFailure", throttled: "ThrottlingException"}[id]
	}}
	results := b.events(t).Deliver(t.Context(), messages)
	if results[0].Told != 1 || results[0].Err == nil || fault.KindOf(results[0].Err) == fault.Unavailable {
		t.Errorf("the refused one: %+v", results[0])
	}
	if results[1].Told != 0 || fault.KindOf(results[1].Err) != fault.Unavailable {
		t.Errorf("the throttled one: %+v", results[1])
	}
	if results[2].Told != 1 || results[2].Err != nil {
		t.Errorf("the one that was taken: %+v", results[2])
	}
	want := []string{messages[0].Order.ID().String() + "-1", messages[2].Order.ID().String() + "-1"}
	if diff := cmp.Diff(want, b.taken(t)); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
}

// A call that one entry spoils is made again for each.
func TestSpoiledCall(t *testing.T) {
	messages := []delivery.Message{awstest.Message(t, 1, 0), awstest.Message(t, 2, 0), awstest.Message(t, 3, 0)}
	spoils := 0
	b := bus{fail: func(entries int) (int, any) {
		spoils++
		if entries > 1 || spoils == 3 { // alone, it is the second
			return http.StatusBadRequest, awstest.Refusal("ValidationException")
		}
		return http.StatusOK, nil
	}}
	results := b.events(t).Deliver(t.Context(), messages)
	for i, r := range results {
		if bad := i == 1; bad != (r.Err != nil) || bad == (r.Told == 1) || fault.KindOf(r.Err) == fault.Unavailable && r.Err != nil {
			t.Errorf("result %d = %+v", i, r)
		}
	}
}

// While the bus is not there nothing is sent to it, and everything once it is.
func TestMissingBus(t *testing.T) {
	b := bus{missing: true}
	events := b.events(t)
	messages := []delivery.Message{awstest.Message(t, 1, 2), awstest.Message(t, 2, 0)}
	for i, r := range events.Deliver(t.Context(), messages) {
		if r.Told != 0 || fault.KindOf(r.Err) != fault.Unavailable || !strings.Contains(r.Err.Error(), "EVENT_BUS_NAME") {
			t.Errorf("result %d = %+v", i, r)
		}
	}
	if n := b.count(); n != 0 {
		t.Errorf("%d calls for a bus that is not there", n)
	}
	b.mu.Lock()
	b.missing = false
	b.mu.Unlock()
	for i, r := range events.Deliver(t.Context(), messages) {
		if r.Told != len(messages[i].Events) || r.Err != nil {
			t.Errorf("result %d = %+v", i, r)
		}
	}
}

// Who may put events need not be allowed to look at the bus.
func TestDescribingMayBeDenied(t *testing.T) {
	b := bus{denied: true}
	events := b.events(t)
	if err := events.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if r := events.Deliver(t.Context(), []delivery.Message{awstest.Message(t, 1, 0)})[0]; r.Told != 1 || r.Err != nil {
		t.Errorf("result %+v", r)
	}
}

// What is no order's fault makes its events wait, however it shows.
func TestAway(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		code   string
		words  string
	}{
		"dropped":     {0, "", "can't be reached"},
		"failing":     {500, "InternalException", "failed"},
		"throttling":  {400, "ThrottlingException", "takes no more"},
		"denied":      {400, "AccessDeniedException", "events:PutEvents"},
		"credentials": {400, "UnrecognizedClientException", "credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			b := bus{fail: func(int) (int, any) { return c.status, awstest.Refusal(c.code) }}
			var messages []delivery.Message
			for n := range 12 {
				messages = append(messages, awstest.Message(t, n, 1))
			}
			for i, r := range b.events(t).Deliver(t.Context(), messages) {
				if r.Told != 0 || fault.KindOf(r.Err) != fault.Unavailable || !strings.Contains(r.Err.Error(), c.words) {
					t.Errorf("result %d = %+v", i, r)
				}
			}
			if n := b.count(); n != 1 {
				t.Errorf("%d calls, one tells enough", n)
			}
		})
	}
}

// What is too large for an entry tells where the order is.
func TestLargeEvents(t *testing.T) {
	var b bus
	large := awstest.Large(t, 1, 1, 900)
	half := awstest.Large(t, 2, 0, 400)
	other := awstest.Large(t, 3, 0, 400)
	for i, r := range b.events(t).Deliver(t.Context(), []delivery.Message{large, half, other}) {
		if r.Err != nil {
			t.Errorf("result %d = %+v", i, r)
		}
	}
	detail := b.calls[0][0].Detail
	want := fmt.Sprintf(`{"eventId":%q,"orderId":%q,"customerId":"c-1","status":"PENDING","version":1,"sequence":1,"actor":"tester","dataref":%q}`,
		large.Order.ID().String()+"-1", large.Order.ID().String(), "s3://bucket/"+large.Order.ID().String()+".json")
	if diff := cmp.Diff(want, detail); diff != "" {
		t.Errorf("detail (-want +got):\n%s", diff)
	}
	for _, call := range b.calls {
		bytes := 0
		for _, e := range call {
			bytes += 14 + len(e.Source) + len(e.DetailType) + len(e.Detail) + len(e.Resources[0])
		}
		if bytes >= 256<<10 {
			t.Errorf("a call has %d bytes", bytes)
		}
	}
	if n := len(b.taken(t)); n != 4 || !slices.ContainsFunc(b.calls[1], func(e entry) bool { return len(e.Detail) > 100<<10 }) {
		t.Errorf("%d events were taken", n)
	}
}
