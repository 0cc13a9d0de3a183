package simulated_test

import (
	"bytes"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
)

// journal is a log whose lines can be read back.
type journal struct {
	bytes.Buffer
	logger *slog.Logger
}

func newJournal() *journal {
	j := &journal{}
	j.logger = slog.New(slog.NewJSONHandler(&j.Buffer, nil))
	return j
}

// lines returns the aws part of every line and empties the journal.
func lines[T any](t testing.TB, j *journal) []T {
	t.Helper()
	var calls []T
	for text := range bytes.Lines(j.Bytes()) {
		var line struct {
			Level   string `json:"level"`
			Message string `json:"msg"`
			AWS     T      `json:"aws"`
		}
		if err := json.Unmarshal(text, &line, json.RejectUnknownMembers(false)); err != nil {
			t.Fatalf("line %s: %v", text, err)
		}
		if line.Message != "Simulated AWS call" || line.Level != "INFO" {
			t.Errorf("line %s", text)
		}
		calls = append(calls, line.AWS)
	}
	j.Reset()
	return calls
}

var start = time.Date(2026, 3, 1, 12, 0, 0, 120_000_000, time.UTC)

// newMessage is a new order and its first event.
func newMessage(t testing.TB, number byte) delivery.Message {
	t.Helper()
	o, err := order.New(order.ID{0x67, 10: number, 11: 1}, order.Draft{
		CustomerID: "c-1", Currency: "EUR",
		Items: []order.DraftItem{
			{SKU: "TEA", Name: "Green tea", Quantity: 2, UnitPrice: "12.50"},
			{SKU: "CUP", Quantity: 1, UnitPrice: "3.95"},
			{SKU: "POT", Quantity: 1, UnitPrice: "29.90"},
		},
	}, "", order.Stamp{Time: start})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return delivery.Message{Order: o, Events: o.Events()}
}

// changed is the message of the next change of an order.
func changed(t testing.TB, m delivery.Message) delivery.Message {
	t.Helper()
	o, err := order.Restore(m.Order.Snapshot())
	if err != nil {
		t.Fatalf("Restore: %v", err)
	}
	note := strconv.Itoa(o.Version())
	if err := o.PatchMetadata(map[string]*string{"note": &note}, order.Stamp{Time: start}); err != nil {
		t.Fatalf("PatchMetadata: %v", err)
	}
	return delivery.Message{Order: o, Events: o.Events()}
}

// versions returns an order's messages from its first to its last version, each with what is new.
func versions(t testing.TB, count int) []delivery.Message {
	t.Helper()
	messages := []delivery.Message{newMessage(t, 1)}
	for range count - 1 {
		messages = append(messages, changed(t, messages[len(messages)-1]))
	}
	return messages
}
