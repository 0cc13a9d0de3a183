package receiving_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"order-processing-service/internal/application/receiving"
	"order-processing-service/internal/domain/order"
)

// The counts are logged at a tick if they have changed, and at the end.
func TestLogCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := newShop(t, func(c *receiving.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		ctx, stop := context.WithCancel(t.Context())
		ticks, ended := make(chan time.Time), make(chan struct{})
		go func() {
			defer close(ended)
			s.service.LogCounts(ctx, ticks)
		}()
		tick := func() {
			ticks <- time.Now()
			synctest.Wait()
		}
		receive := func(body []byte) {
			m := receiving.Message{ID: "m", Body: body, Receives: 1, SentAt: time.Now()}
			_ = s.service.Receive(t.Context(), m) // the counts say what came of it
		}
		tick()
		paid := command("e", order.ReportPaymentSucceeded, s.place(t))
		receive(paid)
		receive(paid)
		receive([]byte("{"))
		tick()
		tick()
		receive(command("f", order.ReportPaymentSucceeded, order.ID{1}))
		receive([]byte(`{"type":"Nonsense"}`))
		tick()
		s.letters.away = errAway
		receive([]byte("{"))
		stop()
		<-ended
		var got []string
		for line := range strings.Lines(log.String()) {
			if _, counts, ok := strings.Cut(strings.TrimSpace(line), " msg=commands "); ok {
				got = append(got, counts)
			}
		}
		want := []string{
			"applied=1 repeated=1 early=0 failed=0 dead_lettered.json_malformed=1",
			"applied=1 repeated=1 early=1 failed=0 dead_lettered.command_type_unknown=1 dead_lettered.json_malformed=1",
			"applied=1 repeated=1 early=1 failed=1 dead_lettered.command_type_unknown=1 dead_lettered.json_malformed=1",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
	})
}
