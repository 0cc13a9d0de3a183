package mongo

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"order-processing-service/internal/domain/fault"
)

// clock is how far the server's clock is ahead of this machine's. Leases are told by the server's, so
// that processes whose machines disagree still agree on when a lease ends.
type clock struct {
	ahead atomic.Int64 // nanoseconds
	known atomic.Bool  // it was measured
}

const (
	// clockInterval is how often the difference is measured anew.
	clockInterval = 30 * time.Second
	// unknownInterval is how often it is tried to be measured at first.
	unknownInterval = time.Second
	// maxTrip is the longest round trip that says enough.
	maxTrip = time.Second
)

// Now is the time by the server's clock, as far as it is known: it may be off by half of the time that
// a round trip took, and by what the clocks have drifted apart in half a minute.
func (s *Store) Now() time.Time { return time.Now().Add(time.Duration(s.clock.ahead.Load())) }

// keepClock measures the difference again and again until ctx ends.
func (s *Store) keepClock(ctx context.Context) {
	interval := func() time.Duration {
		if s.clock.known.Load() {
			return clockInterval
		}
		return unknownInterval
	}
	told := ""
	for wait(ctx, interval()) == nil {
		err := s.setClock(ctx)
		switch code := fault.Of(err).Code; {
		case err == nil || ctx.Err() != nil:
		case isFatal(err) && code != told: // the server came later than this process
			told = code
			s.log.ErrorContext(ctx, "MongoDB can't be used", "error", atStart(err))
		default:
			s.log.DebugContext(ctx, "the clock of MongoDB can't be read", "error", err)
		}
	}
}

// setClock measures the difference once. The server's time is taken to be that of the middle of the
// round trip; after a long one, in which a server may have been looked for, nothing is known.
func (s *Store) setClock(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	// The greeting by its name of today, or by that of before.
	ahead, trip, err := s.greet(bounded, "hello")
	if hasCode(err, codeCommandNotFound) {
		ahead, trip, err = s.greet(bounded, "isMaster")
	}
	if err != nil {
		return translate(ctx, "read the clock", err)
	}
	if trip <= maxTrip {
		s.clock.ahead.Store(int64(ahead))
		s.clock.known.Store(true)
	}
	return nil
}

// greet asks for the time in a greeting, and returns how far it is ahead and how long it took.
func (s *Store) greet(ctx context.Context, command string) (ahead, trip time.Duration, err error) {
	var greeting struct {
		LocalTime time.Time `json:"localTime"`
	}
	var asked time.Time
	err = s.on(ctx, func(l *link) error {
		asked = time.Now()
		return l.client.Database("admin").RunCommand(ctx, bson.D{{Key: command, Value: 1}}).Decode(&greeting)
	})
	trip = time.Since(asked)
	if err == nil && greeting.LocalTime.IsZero() {
		err = errors.New("the greeting has no localTime")
	}
	return greeting.LocalTime.Sub(asked.Add(trip / 2)), trip, err
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
