package simulated_test

import (
	"context"
	"encoding/binary"
	"log/slog"
	"os"
	"sync"
	"testing"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/simulated"
)

// sink is a log on a device that keeps nothing: each line costs its values and a system call, as with
// the service's own handler.
type sink struct {
	slog.Handler
	mu   sync.Mutex
	f    *os.File
	line []byte
}

func newSink(b *testing.B) *slog.Logger {
	b.Helper()
	f, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Close() })
	return slog.New(&sink{Handler: slog.NewJSONHandler(f, nil), f: f})
}

func (s *sink) Handle(_ context.Context, r slog.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line = append(s.line[:0], r.Message...)
	r.Attrs(func(a slog.Attr) bool {
		for _, member := range a.Value.Group() {
			if v, ok := member.Value.Any().(interface{ AppendJSON(dst []byte) []byte }); ok {
				s.line = v.AppendJSON(s.line)
			} else {
				s.line = append(s.line, member.Value.String()...)
			}
		}
		return true
	})
	_, err := s.f.Write(s.line)
	return err
}

func BenchmarkEvents(b *testing.B) {
	for name, size := range map[string]int{"one": 1, "ten": 10} {
		b.Run(name, func(b *testing.B) {
			s := simulated.NewEvents(simulated.EventsConfig{Logger: newSink(b), BusName: "orders", Encode: wire.AppendEventData})
			messages := make([]delivery.Message, size)
			for i := range messages {
				messages[i] = newMessage(b, byte(i))
			}
			b.ReportAllocs()
			for b.Loop() {
				s.Deliver(b.Context(), messages)
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func BenchmarkManifestsNew(b *testing.B) {
	s := simulated.NewManifests(simulated.ManifestsConfig{Bucket: bucket, Logger: newSink(b), Dir: b.TempDir(), Encode: wire.AppendOrder})
	snapshot := newMessage(b, 1).Order.Snapshot()
	b.ReportAllocs()
	for i := uint64(1); b.Loop(); i++ {
		binary.BigEndian.PutUint64(snapshot.ID[4:], i)
		o, err := order.Restore(snapshot)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Deliver(b.Context(), []delivery.Message{{Order: o, Events: []order.Event{{Sequence: 1}}}})[0].Err; err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkManifestsChanged(b *testing.B) {
	s := simulated.NewManifests(simulated.ManifestsConfig{Bucket: bucket, Logger: newSink(b), Dir: b.TempDir(), Encode: wire.AppendOrder})
	m := newMessage(b, 1)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Deliver(b.Context(), []delivery.Message{m})[0].Err; err != nil {
			b.Fatal(err)
		}
	}
}
