package orderclient_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/importing"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/orderclient"
	"order-processing-service/internal/infrastructure/store/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func now() time.Time { return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC) }

type quiet struct{}

func (quiet) Offer(time.Time) delivery.Handover                                       { return delivery.Handover{} }
func (quiet) Accept(delivery.Handover, *order.Order, []order.Event, []delivery.Track) {}
func (quiet) Decline(delivery.Handover)                                               {}

// shop is a service behind the batch operation, made of the parts that the real one is made of.
type shop struct {
	*ordering.Service
	bodies  []int // the size of each request
	history bool  // whether the last one asked for that
}

func newShop(t testing.TB) *shop {
	t.Helper()
	store := memory.New().Open()
	t.Cleanup(func() { _ = store.Close() })
	return &shop{Service: ordering.New(ordering.Config{Store: store, Teller: quiet{}, Now: now, DefaultCurrency: "USD"})}
}

var caller = ordering.Caller{Subject: "anonymous"}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if r.Method+r.URL.Path+r.Header.Get("Content-Type") != "POST/shop/orders/batchapplication/json" || err != nil {
		http.Error(w, "not a batch", http.StatusNotFound)
		return
	}
	s.bodies = append(s.bodies, len(body))
	s.history = r.URL.Query().Get("as_history") == "true"
	entries, err := wire.DecodeBatch(body, ordering.MaxBatch)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	out := []byte(`{"results":[`)
	for i, e := range entries {
		if i > 0 {
			out = append(out, ',')
		}
		placed, err := ordering.Placed{}, e.Err
		if err == nil {
			placed, err = s.Place(r.Context(), caller, ordering.Place{Draft: e.Draft, IdempotencyKey: e.IdempotencyKey})
		}
		if err != nil {
			f := fault.Of(err)
			out = append(out, `{"status":422,"problem":`...)
			out = append(wire.AppendProblem(out, &wire.Problem{Status: 422, Detail: f.Message, Code: f.Code}), '}')
			continue
		}
		out = append(out, `{"status":201,"replayed":`...)
		out = strconv.AppendBool(out, placed.Replayed)
		out = append(wire.AppendOrder(append(out, `,"order":`...), placed.Order), '}')
	}
	_, _ = w.Write(append(out, `]}`...))
}

func serve(t testing.TB, h http.Handler) *orderclient.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	client, err := orderclient.New(server.URL+"/shop/", orderclient.Credentials{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

const text = "reference,customer_id,sku,name,quantity,unit_price,placed_at,metadata.k,metadata.l,currency\n" +
	"A,c,TEA,\"Green \"\"tea\"\", é\",2,12.345,2026-01-15T09:30:00Z,v,w,EUR\n" +
	"A,c,POT,,1,1e1,2026-01-15T09:30:00Z,v,w,EUR\n" +
	"É,c,TEA,,1,1,,,,JPY\n" +
	"B,c,TEA,,0,1,,,,JPY\n"

// Over HTTP and straight into a store, the same orders come out, down to their ids and fingerprints.
func TestSameOrdersAsDirect(t *testing.T) {
	near, far := newShop(t), newShop(t)
	client := serve(t, far)
	options := importing.Options{Now: now}
	for _, run := range []string{"first", "second"} {
		var summaries [2]importing.Summary
		var rejects [2]strings.Builder
		for i, to := range []importing.Destination{importing.Direct{Service: near.Service, Caller: caller}, client} {
			var err error
			if summaries[i], err = importing.Run(t.Context(), options, to, strings.NewReader(text), &rejects[i]); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(summaries[0].Totals.Decimals(), summaries[1].Totals.Decimals()); diff != "" {
			t.Errorf("totals of the %s run differ:\n%s", run, diff)
		}
		summaries[0].Totals, summaries[1].Totals = nil, nil
		if diff := cmp.Diff(summaries[0], summaries[1]); diff != "" {
			t.Errorf("the %s run differs:\n%s", run, diff)
		}
		if rejects[0].String() != rejects[1].String() {
			t.Errorf("rejects of the %s run differ:\n%s\n%s", run, rejects[0].String(), rejects[1].String())
		}
	}
	for _, reference := range []string{"A", "É"} {
		id := order.KeyedID(caller.Subject, "order", importing.KeyOf(reference))
		want, err := near.Read(t.Context(), ordering.Caller{}, id)
		if err != nil {
			t.Fatal(err)
		}
		got, err := far.Read(t.Context(), ordering.Caller{}, id)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(wire.AppendOrder(nil, want)), string(wire.AppendOrder(nil, got))); diff != "" {
			t.Errorf("order %s differs:\n%s", reference, diff)
		}
		if want.View().Origin != got.View().Origin {
			t.Errorf("order %s has another fingerprint", reference)
		}
	}
	// Other content under the same reference is reported.
	var rejects strings.Builder
	other := strings.NewReader(strings.Replace(text, "A,c,TEA", "A,c,OTHER", 1))
	if _, err := importing.Run(t.Context(), options, client, other, &rejects); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(rejects.String(), "2,A,an order with this reference is there already with other content") {
		t.Errorf("rejects: %s", rejects.String())
	}
}

func places(n, itemsEach int, name string) []ordering.Place {
	orders := make([]ordering.Place, n)
	for i := range orders {
		items := make([]order.DraftItem, itemsEach)
		for j := range items {
			items[j] = order.DraftItem{SKU: "TEA", Name: name, Quantity: 1, UnitPrice: "1"}
		}
		orders[i] = ordering.Place{
			Draft: order.Draft{CustomerID: "c", Currency: "EUR", Items: items}, IdempotencyKey: "k" + strconv.Itoa(i), AsHistory: true,
		}
	}
	return orders
}

// What is too much for one request becomes several, and what is too much for any is refused.
func TestLargeBatches(t *testing.T) {
	shop := newShop(t)
	client := serve(t, shop)
	orders := places(20, 1_000, strings.Repeat("\"", 255))  // half a MiB each
	orders[7] = places(1, 1, strings.Repeat("x", 9<<20))[0] // which no request can hold
	outcomes, err := client.Place(t.Context(), orders)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range outcomes {
		if failed := o.Err != nil; failed != (i == 7) || (failed && fault.KindOf(o.Err) != fault.TooLarge) {
			t.Errorf("order %d: %v", i, o.Err)
		}
	}
	if len(shop.bodies) < 2 || !shop.history {
		t.Errorf("%d requests, as history %t", len(shop.bodies), shop.history)
	}
	for _, size := range shop.bodies {
		if size > 8<<20 {
			t.Errorf("a request has %d bytes", size)
		}
	}
}

// Every answer that is no batch result becomes the right fault.
func TestOtherAnswers(t *testing.T) {
	problem := func(status int, retryAfter string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", retryAfter)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"detail": "so it is", "code": "a_code", "request_id": "r-1"}`)
		}
	}
	answer := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
	}
	tests := map[string]struct {
		handler http.HandlerFunc
		kind    fault.Kind
		wait    time.Duration
		says    string
	}{
		"busy":         {problem(503, "3"), fault.Unavailable, 3 * time.Second, "so it is (request r-1)"},
		"too many":     {problem(429, "Wed, 21 Oct 2026 07:28:00 GMT"), fault.TooMany, 0, "so it is"},
		"gateway":      {problem(502, ""), fault.Unavailable, 0, "so it is"},
		"forbidden":    {problem(403, ""), fault.Forbidden, 0, "so it is"},
		"invalid":      {problem(422, ""), fault.Internal, 0, "so it is"},
		"not here":     {http.NotFound, fault.Internal, 0, "404 Not Found"},
		"a web page":   {answer("<html>"), fault.Internal, 0, "is not this service"},
		"no results":   {answer(`{"results": []}`), fault.Internal, 0, "0 results for 1 orders"},
		"half results": {answer(`{"results": [{"status": 201}]}`), fault.Internal, 0, "a result of status 201 without order or problem"},
		"odd total":    {answer(`{"results": [{"status": 201, "order": {"currency": "EUR", "total": "x"}}]}`), fault.Internal, 0, "total"},
		"cut short": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"results": [`)
		}, fault.Unavailable, 0, "can't be reached"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := serve(t, tt.handler).Place(t.Context(), places(1, 1, ""))
			if err == nil {
				t.Fatal("it worked")
			}
			if f := fault.Of(err); f.Kind != tt.kind || f.RetryAfter != tt.wait || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %q of kind %d, to be tried after %s", err, f.Kind, f.RetryAfter)
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	client, err := orderclient.New("http://127.0.0.1:1", orderclient.Credentials{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Place(t.Context(), places(1, 1, "")); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Place(ctx, places(1, 1, "")); fault.KindOf(err) == fault.Unavailable || err == nil {
		t.Errorf("got %v for a context that has ended", err)
	}
	for _, base := range []string{"", "localhost:8000", "ftp://x", "http://"} {
		if _, err := orderclient.New(base, orderclient.Credentials{}); err == nil {
			t.Errorf("New(%q) worked", base)
		}
	}
}
