package mongo_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/mongo"
	"order-processing-service/test/mongodb"
	"order-processing-service/test/proxy"
)

// throughNetwork opens one more store, behind a network that can be cut.
func (h *history) throughNetwork(t *testing.T, timeout time.Duration) (*mongo.Store, *proxy.Proxy) {
	t.Helper()
	network, uri := mongodb.Need(t).Proxied(t)
	return h.openAt(t, uri, timeout), network
}

// TestPredecessorsChangeIsMadeOnce loses the answer to the write that replaces a document.
func TestPredecessorsChangeIsMadeOnce(t *testing.T) {
	for name, meanwhile := range map[string]func(h *history) error{
		"nobody": func(*history) error { return nil },
		"somebody": func(h *history) error {
			_, err := h.Change(t.Context(), old(1), delivery.Handover{}, now, note("theirs"))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHistory(t, kept(1, order.StatusPending))
			store, network := h.throughNetwork(t, 5*time.Second)
			lost := network.CutAfterSending(1, "mine")
			done := make(chan error, 1)
			go func() {
				<-lost
				done <- meanwhile(h)
			}()
			hand := delivery.Handover{Subscribers: []string{"mail"}, Owner: "me", Until: now.Add(time.Minute)}
			changed, err := store.Change(t.Context(), old(1), hand, now, note("mine"))
			if err != nil || changed.Order.Version() != 2 || len(changed.Leased) != 1 {
				t.Fatalf("%+v, %v", changed, err)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			o, err := h.Get(t.Context(), old(1))
			if err != nil || o.View().Metadata["mine"] != "x" || o.Version() != 1+len(o.View().Metadata) {
				t.Errorf("%s, %v", form(o), err)
			}
			events, err := h.Events(t.Context(), old(1), 0, 10)
			if err != nil || len(events) != o.Sequence() || events[0].Type != order.EventOrderCreated {
				t.Errorf("events %+v, %v", events, err)
			}
		})
	}
}

// TestMigrateLosesAnswers counts an order as migrated whose write was made, though nobody said so.
func TestMigrateLosesAnswers(t *testing.T) {
	const n = 700
	h := newHistory(t, many(n)...)
	store, network := h.throughNetwork(t, 5*time.Second)
	// Every document that is written has it. A driver that repeats a write by itself loses both answers.
	network.CutAfterSending(2, string(order.EventOrderCreated))
	troubles := 0
	m := migrate(t, store, mongo.MigrateOptions{Progress: func(p mongo.Progress) {
		if p.Trouble != nil {
			troubles++
			if fault.KindOf(p.Trouble) != fault.Unavailable {
				t.Errorf("trouble is %v", p.Trouble)
			}
		}
	}})
	if m != (mongo.Migration{Migrated: n}) || troubles < 1 || troubles > 2 {
		t.Errorf("migrated %+v, with trouble %d times", m, troubles)
	}
	if again := migrate(t, h.Store, mongo.MigrateOptions{}); again != (mongo.Migration{There: n}) {
		t.Errorf("then %+v", again)
	}
}

// TestMigrateIsStoppedWhileTheServerIsAway does not wait for a server that does not come back.
func TestMigrateIsStoppedWhileTheServerIsAway(t *testing.T) {
	h := newHistory(t, many(700)...)
	store, network := h.throughNetwork(t, time.Second)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	network.CutAfterSending(2, string(order.EventOrderCreated))
	m, err := migrateWith(ctx, store, mongo.MigrateOptions{Progress: func(p mongo.Progress) {
		if p.Trouble != nil {
			network.Cut()
			stop()
		}
	}})
	if !errors.Is(err, context.Canceled) || m.Migrated != 0 {
		t.Errorf("%+v, %v", m, err)
	}
	network.Heal()
	again := migrate(t, h.Store, mongo.MigrateOptions{})
	if again.Migrated+again.There != 700 || again.There == 0 {
		t.Errorf("then %+v", again)
	}
	left, err := h.orders.CountDocuments(t.Context(), bson.D{{Key: "form", Value: nil}})
	if err != nil || left != 0 {
		t.Errorf("%d documents are left, %v", left, err)
	}
}

// TestServerMustBeThere opens a store where there is no server.
func TestServerMustBeThere(t *testing.T) {
	_, err := mongo.Open(t.Context(), mongo.Config{
		Client: options.Client().ApplyURI("mongodb://127.0.0.1:1"), Timeout: 200 * time.Millisecond, MustBeThere: true,
	})
	if f := fault.Of(err); f.Code != "store_unreachable" || !strings.Contains(f.Message, "MONGO_HOST") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
}
