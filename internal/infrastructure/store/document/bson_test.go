package document_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/document"
)

// TestBSONForm holds every part of the form against a golden document, in canonical Extended JSON.
func TestBSONForm(t *testing.T) {
	wantOrder, wantEvents := full(t), history(t)
	wantTracks := delivery.Tracks{
		{Subscriber: "events", Told: 3},
		{Subscriber: "manifests", Told: 1, Attempts: 2, DueAt: at(1), Owner: "p", LastError: "no \"route\"\xff"},
		{Subscriber: "hook", Parked: true},
	}
	d := document.NewBSON()
	d.ID("_id", wantOrder.ID)
	d.Order(&wantOrder)
	d.Tracks("tracks", wantTracks)
	d.Events("events", wantEvents)
	var written any
	text, err := bson.MarshalExtJSON(d.Bytes(), true, false)
	if err == nil {
		err = json.Unmarshal(text, &written)
	}
	if err != nil {
		t.Fatal(err)
	}
	indented, err := json.MarshalIndent(written, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	stored := golden(t, "record-v1.ejson", append(indented, '\n'))
	if diff := cmp.Diff(string(stored), string(indented)+"\n"); diff != "" {
		t.Errorf("the form of version 1 has changed (-stored +written):\n%s", diff)
	}

	var raw bson.Raw
	if err := bson.UnmarshalExtJSON(stored, true, &raw); err != nil {
		t.Fatal(err)
	}
	o, err := document.DecodeOrderBSON(wantOrder.ID, raw)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantOrder, o.Snapshot(), values); diff != "" {
		t.Errorf("the order reads differently (-want +got):\n%s", diff)
	}
	list, _ := raw.Lookup("events").ArrayOK()
	events, err := document.DecodeEventsBSON(list)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantEvents, events, values); diff != "" {
		t.Errorf("the events read differently (-want +got):\n%s", diff)
	}
	tracks, err := document.DecodeTracksBSON(raw.Lookup("tracks"))
	if err != nil {
		t.Fatal(err)
	}
	wantTracks[1].LastError = "no \"route\"\uFFFD" // what can't be read is replaced
	if diff := cmp.Diff(wantTracks, tracks); diff != "" {
		t.Errorf("the tracks read differently (-want +got):\n%s", diff)
	}
}

// TestBSONDamageIsTold spoils one member after the other.
func TestBSONDamageIsTold(t *testing.T) {
	s := full(t)
	form := func(spoil func(bson.M)) bson.Raw {
		d := document.NewBSON()
		d.Order(&s)
		var m bson.M
		if err := bson.Unmarshal(d.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		spoil(m)
		raw, err := bson.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	if _, err := document.DecodeOrderBSON(s.ID, form(func(bson.M) {})); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(bson.M){
		"newer form": func(m bson.M) { m["form"] = 2 },
		"currency":   func(m bson.M) { m["currency"] = "XYZ" },
		"lines":      func(m bson.M) { m["lines"] = "none" },
		"date":       func(m bson.M) { m["created_at"] = 17 },
		"metadata":   func(m bson.M) { m["metadata"] = bson.M{"k": "v"} },
		"total":      func(m bson.M) { m["total"] = 0.5 },
		"payment":    func(m bson.M) { m["payments"] = bson.A{bson.M{"id": "x"}} },
	} {
		if _, err := document.DecodeOrderBSON(s.ID, form(spoil)); err == nil {
			t.Errorf("%s: read without an error", name)
		}
	}
	if _, err := document.DecodeTracksBSON(bson.RawValue{Type: bson.TypeString}); err == nil {
		t.Error("tracks that are no list are read without an error")
	}
	gap := document.NewBSON()
	gap.Events("events", append(history(t)[:1], history(t)[2]))
	list, _ := gap.Bytes().Lookup("events").ArrayOK()
	if _, err := document.DecodeEventsBSON(list); err == nil {
		t.Error("events with a gap are read without an error")
	}
}

func BenchmarkBSONOrder(b *testing.B) {
	s := threeLines(b)
	for b.Loop() {
		d := document.NewBSON()
		d.Order(&s)
		b.SetBytes(int64(len(d.Bytes())))
	}
}

func BenchmarkDecodeOrderBSON(b *testing.B) {
	s := threeLines(b)
	d := document.NewBSON()
	d.Order(&s)
	form := d.Bytes()
	b.SetBytes(int64(len(form)))
	for b.Loop() {
		var o *order.Order
		var err error
		if o, err = document.DecodeOrderBSON(s.ID, form); err != nil || o == nil {
			b.Fatal(err)
		}
	}
}
