package mongo

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// clock is how far the server's clock is ahead of this machine's. Leases are told by the server's, so
// that processes whose machines disagree still agree on when a lease ends.
type clock struct{ ahead atomic.Int64 } // nanoseconds

// clockInterval is how often the difference is measured anew.
const clockInterval = 30 * time.Second

// Now is the time by the server's clock, as far as it is known: it may be off by half of the time that
// a round trip took, and by what the clocks have drifted apart in half a minute.
func (s *Store) Now() time.Time { return time.Now().Add(time.Duration(s.clock.ahead.Load())) }

// keepClock measures the difference again and again until ctx ends.
func (s *Store) keepClock(ctx context.Context) {
	for wait(ctx, clockInterval) == nil {
		if err := s.setClock(ctx); err != nil && ctx.Err() == nil {
			s.log.DebugContext(ctx, "the clock of MongoDB can't be read", "error", err)
		}
	}
}

// setClock measures the difference once. The server's time is taken to be that of the middle of the
// round trip.
func (s *Store) setClock(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	asked := time.Now()
	server, err := s.serverTime(bounded)
	if err != nil {
		return translate(ctx, "read the clock", err)
	}
	trip := time.Since(asked)
	s.clock.ahead.Store(int64(server.Sub(asked.Add(trip / 2))))
	return nil
}

// serverTime asks for the time in the greeting: by its name of today, or by that of before.
func (s *Store) serverTime(ctx context.Context) (time.Time, error) {
	var greeting struct {
		LocalTime time.Time `json:"localTime"`
	}
	admin := s.client.Database("admin")
	err := admin.RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&greeting)
	if hasCode(err, codeCommandNotFound) {
		err = admin.RunCommand(ctx, bson.D{{Key: "isMaster", Value: 1}}).Decode(&greeting)
	}
	if err == nil && greeting.LocalTime.IsZero() {
		err = errors.New("the greeting has no localTime")
	}
	return greeting.LocalTime, err
}

// wait waits for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
