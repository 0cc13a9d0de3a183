package receiving_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/application/receiving"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// TestEarlyAndNever is the table of docs/commands.md.
func TestEarlyAndNever(t *testing.T) {
	const done, early, never = "done", "early", "never"
	P, A, S, D, C := order.StatusPending, order.StatusPaid, order.StatusShipped, order.StatusDelivered, order.StatusCanceled
	way := map[order.Status][]order.Status{P: nil, A: {A}, S: {A, S}, D: {A, S, D}, C: {C}}
	for kind, rows := range map[order.ReportType]map[order.Status]struct {
		outcome string
		after   order.Status
	}{
		order.ReportPaymentSucceeded:      {P: {done, A}, A: {done, A}, S: {done, S}, D: {done, D}, C: {never, C}},
		order.ReportPaymentFailed:         {P: {done, P}, A: {done, A}, S: {done, S}, D: {done, D}, C: {done, C}},
		order.ReportShipmentDispatched:    {P: {early, P}, A: {done, S}, S: {done, S}, D: {done, D}, C: {never, C}},
		order.ReportShipmentDelivered:     {P: {early, P}, A: {early, A}, S: {done, D}, D: {done, D}, C: {never, C}},
		order.ReportCancellationRequested: {P: {done, C}, A: {done, C}, S: {never, S}, D: {never, D}, C: {done, C}},
	} {
		if len(rows) != len(order.Statuses()) {
			t.Errorf("%s is not tried from every status", kind)
		}
		for from, want := range rows {
			t.Run(fmt.Sprint(kind, from), func(t *testing.T) {
				s := newShop(t)
				id := s.place(t, way[from]...)
				err := s.service.Receive(t.Context(), receiving.Message{ID: "m", Body: command("e", kind, id), Receives: 1, SentAt: time.Now()})
				got := done
				switch {
				case receiving.IsEarly(err):
					got = early
				case err != nil:
					t.Fatal(err)
				case len(s.letters.all) > 0:
					got = never
				}
				if after := s.order(t, id).Status(); got != want.outcome || after != want.after {
					t.Errorf("%s and %s, want %s and %s", got, after, want.outcome, want.after)
				}
			})
		}
	}
}

func TestReasons(t *testing.T) {
	s := newShop(t)
	id := s.place(t).String()
	const start = `{"type":"PaymentSucceeded","orderId":"`
	for body, code := range map[string]string{
		``:  "json_malformed",
		`{`: "json_malformed",
		`{"type":"PaymentSucceeded","type":"PaymentSucceeded"}`: "json_malformed",
		"{\"type\":\"\xff\"}":                                 "json_malformed",
		`"PaymentSucceeded"`:                                  "validation_failed",
		`{"orderId":"` + id + `"}`:                            "validation_failed",
		`{"type":"PaymentSucceeded"}`:                         "validation_failed",
		start + `nonsense"}`:                                  "validation_failed",
		start + id + `","amount":"much"}`:                     "validation_failed",
		start + id + `","amount":25.001}`:                     "validation_failed",
		start + id + `","amount":25,"currency":"USD"}`:        "validation_failed",
		start + id + `","amount":26}`:                         "payment_amount_wrong",
		start + id + `","source":"order-processing-service"}`: "command_own_event",
		`{"type":"PaymentMade","orderId":"` + id + `"}`:       "command_type_unknown",
		string(make([]byte, 1<<20+1)):                         "command_too_large",
	} {
		before := len(s.letters.all)
		if err := s.service.Receive(t.Context(), receiving.Message{ID: "m", Body: []byte(body), Receives: 1, SentAt: time.Now()}); err != nil {
			t.Errorf("%.80s: %v", body, err)
			continue
		}
		if len(s.letters.all) != before+1 || s.letters.all[before].why.Code != code || s.letters.all[before].why.Text == "" {
			t.Errorf("%.80s: set aside as %+v, want %s", body, s.letters.all[before:], code)
		}
	}
	c := s.service.Counts()
	if c.DeadLettered["json_malformed"] != 4 || c.DeadLettered["validation_failed"] != 7 || c.Applied+c.Repeated+c.Early+c.Failed != 0 {
		t.Errorf("counted %+v", c)
	}
}

// A message is applied once, also when the order has forgotten its key, and when the order has moved on.
func TestOnce(t *testing.T) {
	s := newShop(t)
	id := s.place(t)
	send := func(kind order.ReportType, event string) {
		t.Helper()
		if err := s.service.Receive(t.Context(), receiving.Message{ID: "m-" + event, Body: command(event, kind, id), Receives: 1}); err != nil {
			t.Fatal(err)
		}
	}
	send(order.ReportPaymentFailed, "a")
	send(order.ReportPaymentSucceeded, "b")
	for n := range order.MaxRequests + 10 {
		note := strconv.Itoa(n)
		if _, err := s.orders.Change(t.Context(), ordering.Caller{Subject: "x"}, ordering.Change{
			ID: id, Metadata: map[string]*string{"n": &note}, IdempotencyKey: note,
		}); err != nil {
			t.Fatal(err)
		}
	}
	send(order.ReportCancellationRequested, "c")
	before := s.order(t, id).Snapshot()
	for range 2 {
		send(order.ReportPaymentFailed, "a")
		send(order.ReportPaymentSucceeded, "b")
		send(order.ReportCancellationRequested, "c")
	}
	after := s.order(t, id).Snapshot()
	if after.Version != before.Version || len(after.Payments) != 2 || len(after.Payments[1].Refunds) != 1 {
		t.Errorf("version %d after %d, payments %+v", after.Version, before.Version, after.Payments)
	}
	if len(s.letters.all) > 0 {
		t.Errorf("dead letters: %v", s.letters.codes())
	}
	if c := s.service.Counts(); c.Applied != 3 || c.Repeated != 6 {
		t.Errorf("counted %+v", c)
	}
}

// Without an id of the event the message's counts; ids of different sources and types are different.
func TestWhatIsARepeat(t *testing.T) {
	s := newShop(t)
	id := s.place(t)
	body := func(more string) []byte {
		return []byte(`{"type":"PaymentFailed","orderId":"` + id.String() + `"` + more + `}`)
	}
	for _, m := range []struct {
		message, more string
		payments      int
	}{
		{"1", ``, 1},
		{"1", ``, 1},
		{"2", ``, 2},
		{"3", `,"id":"e"`, 3},
		{"4", `,"id":"e"`, 3},
		{"5", `,"id":"e","source":"s"`, 4},
		{"6", `,"id":"e","source":"t"`, 5},
		{"7", `,"id":"f","eventId":"e"`, 5},
		{"8", `,"id":null`, 6},
	} {
		if err := s.service.Receive(t.Context(), receiving.Message{ID: m.message, Body: body(m.more)}); err != nil {
			t.Fatal(err)
		}
		if got := len(s.order(t, id).Snapshot().Payments); got != m.payments {
			t.Errorf("after %s %s there are %d payments, want %d", m.message, m.more, got, m.payments)
		}
	}
	if err := s.service.Receive(t.Context(), receiving.Message{ID: "9", Body: body(`,"id":"e","amount":1`)}); err != nil || len(s.letters.all) != 1 ||
		s.letters.all[0].why.Code != "idempotency_key_reused" {
		t.Errorf("an id that comes with something else: %v, %v", err, s.letters.codes())
	}
	_, events, err := s.orders.Timeline(t.Context(), ordering.Caller{}, id)
	if err != nil || events[len(events)-1].Actor != "commands:t" && events[len(events)-2].Actor != "commands:t" {
		t.Errorf("the actors of %+v, %v", events, err)
	}
}

func TestCarrierAndTracking(t *testing.T) {
	s := newShop(t)
	id := s.place(t, order.StatusPaid)
	m := receiving.Message{ID: "m", Body: []byte(`{"detail-type":"ShipmentDispatched","source":"w","id":"1","detail":{"order_id":"` +
		id.String() + `","carrier":"Correos","tracking":"PK1"}}`), Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
	if err := s.service.Receive(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	o := s.order(t, id)
	if f := o.View().Fulfillments[0]; f.Carrier != "Correos" || f.Tracking != "PK1" {
		t.Errorf("fulfillment %+v", f)
	}
	_, events, err := s.orders.Timeline(t.Context(), ordering.Caller{}, id)
	if err != nil || events[len(events)-1].Trace[:36] != m.Trace[:36] {
		t.Errorf("the trace of %+v, %v", events[len(events)-1], err)
	}
}

// An early message is given up when it is old enough and has come often enough, and not before.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		sent := time.Now()
		time.Sleep(time.Hour)
		body := command("e", order.ReportPaymentSucceeded, order.ID{1})
		for _, m := range []receiving.Message{
			{Receives: 9, SentAt: sent}, {Receives: 100, SentAt: sent.Add(time.Second)}, {Receives: 9}, {},
		} {
			m.ID, m.Body = "m", body
			if err := s.service.Receive(t.Context(), m); !receiving.IsEarly(err) {
				t.Errorf("%d receives, sent %v ago: %v", m.Receives, time.Since(m.SentAt), err)
			}
		}
		for n, m := range []receiving.Message{{Receives: 10, SentAt: sent}, {Receives: 10}, {SentAt: sent}} {
			m.ID, m.Body = "m", body
			if err := s.service.Receive(t.Context(), m); err != nil || len(s.letters.all) != n+1 || s.letters.all[n].why.Code != "order_not_found" {
				t.Errorf("%d receives: %v, %v", m.Receives, err, s.letters.codes())
			}
		}
	})
}

type orders func() error

func (o orders) Change(context.Context, ordering.Caller, ordering.Change) (ordering.Revised, error) {
	return ordering.Revised{}, o()
}

// What is nobody's fault uses up nothing; what fails for no known reason is given up like an early message.
func TestFailures(t *testing.T) {
	m := receiving.Message{ID: "m", Body: command("e", order.ReportPaymentSucceeded, order.ID{1}), Receives: 1_000, SentAt: time.Unix(0, 0)}
	for _, err := range []error{ordering.ErrStoreBusy, errAway} {
		s := newShop(t, func(c *receiving.Config) { c.Orders = orders(func() error { return err }) })
		if got := s.service.Receive(t.Context(), m); !errors.Is(got, err) || len(s.letters.all) > 0 {
			t.Errorf("%v: %v, %v", err, got, s.letters.codes())
		}
	}
	for _, fail := range []orders{func() error { return errors.New("disk on fire") }, func() error { panic("a defect") }} {
		s := newShop(t, func(c *receiving.Config) { c.Orders = fail })
		young := m
		young.SentAt = time.Now()
		if err := s.service.Receive(t.Context(), young); fault.KindOf(err) != fault.Internal || err == nil {
			t.Errorf("a young message: %v", err)
		}
		if err := s.service.Receive(t.Context(), m); err != nil || s.letters.codes()[0] != "internal" {
			t.Errorf("an old message: %v, %v", err, s.letters.codes())
		}
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	s := newShop(t, func(c *receiving.Config) { c.Orders = orders(func() error { return stopped.Err() }) })
	if err := s.service.Receive(stopped, m); !errors.Is(err, context.Canceled) || len(s.letters.all) > 0 {
		t.Errorf("a message that is cut off: %v", err)
	}
}

// A message that can't be set aside comes again.
func TestDeadLettersAway(t *testing.T) {
	m := receiving.Message{ID: "m", Body: []byte("{")}
	s := newShop(t)
	s.letters.away = errAway
	if err := s.service.Receive(t.Context(), m); !errors.Is(err, errAway) || !receiving.IsNotSetAside(err) || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("the queue is away: %v", err)
	}
	none := newShop(t, func(c *receiving.Config) { c.DeadLetters = nil })
	if err := none.service.Receive(t.Context(), m); !receiving.IsNotSetAside(err) {
		t.Error("there is no queue, and the message counts as done")
	}
	if diff := cmp.Diff(receiving.Counts{Failed: 1}, none.service.Counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}
