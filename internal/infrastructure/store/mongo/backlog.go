package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"order-processing-service/internal/application/delivery"
)

// maxBacklogBytes bounds what a look at the backlog reads, in bytes as they are sent, but for the last order.
const maxBacklogBytes = 32 << 20

// The parts of documents that tell how much is yet to be told: of each event only when it happened.
//
//nolint:gochecknoglobals // queries
var (
	tracksAndTimes = bson.D{
		{Key: "form", Value: 1},
		{Key: "sequence", Value: 1},
		{Key: "tracks", Value: 1},
		{Key: "created_at", Value: 1},
		{Key: "events.time", Value: 1},
	}
	everWaiting = bson.D{{Key: "due_at", Value: bson.D{{Key: "$gte", Value: bson.DateTime(0)}}}, ours}
	everParked  = bson.D{{Key: "parked", Value: true}, ours}
)

// Backlog implements delivery.Store. It counts here and not on the server, which would need an aggregation that not
// every engine has, and it asks for no sorting, for the reason that Claim has.
func (s *Store) Backlog(ctx context.Context, subscribers []string, limit int) ([]delivery.Backlog, error) {
	var tally *delivery.Tally
	err := s.do(ctx, "backlog", func(ctx context.Context) error {
		tally = delivery.NewTally(subscribers)
		err := s.upTo(ctx, everWaiting, tracksAndTimes, limit, tally, func(r *record, tracks delivery.Tracks) {
			created, _ := r.raw.Lookup("created_at").TimeOK()
			tally.Waiting(tracks, r.sequence, created.UTC(), r.happened)
		})
		if err != nil {
			return err
		}
		return s.upTo(ctx, everParked, onlyTracks, limit, tally, func(r *record, tracks delivery.Tracks) {
			tally.Parked(tracks, r.sequence)
		})
	})
	if err != nil {
		return nil, err
	}
	return tally.Backlogs(), nil
}

// upTo counts no more than limit documents that match, and takes note if there are more or enough was read.
func (s *Store) upTo(
	ctx context.Context, filter, projection bson.D, limit int, tally *delivery.Tally, count func(*record, delivery.Tracks),
) error {
	n, room := 0, maxBacklogBytes
	find := options.Find().SetProjection(projection).SetLimit(int64(limit) + 1)
	return s.each(ctx, filter, find, func(raw bson.Raw) (bool, error) {
		n++
		if n > limit || room <= 0 {
			tally.More()
			return false, nil
		}
		room -= len(raw)
		r, err := read(raw)
		if err != nil {
			return true, nil //nolint:nilerr // it is somebody else's; lists speak of it
		}
		if tracks, err := r.tracks(); err == nil { // a claim speaks of the others
			count(&r, tracks)
		}
		return true, nil
	})
}

// happened tells when the event of a sequence happened, given a record that was read with the times of its events. Sequences
// count from 1 without gaps, so that an event's place is known.
func (r *record) happened(sequence int) (time.Time, bool) {
	events, ok := r.raw.Lookup("events").ArrayOK()
	if !ok {
		return time.Time{}, false
	}
	event, err := events.IndexErr(uint(sequence - 1))
	if err != nil {
		return time.Time{}, false
	}
	parts, ok := event.DocumentOK()
	if !ok {
		return time.Time{}, false
	}
	at, ok := parts.Lookup("time").TimeOK()
	return at.UTC(), ok
}
