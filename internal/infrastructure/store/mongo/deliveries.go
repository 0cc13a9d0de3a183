package mongo

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// maxDeliveries bounds a page of deliveries whatever is asked for.
const maxDeliveries = 1_000

// Deliveries implements delivery.Store.
func (s *Store) Deliveries(ctx context.Context, q delivery.Query) (delivery.Page, error) {
	due, id, err := parseAfter(q.After)
	if err != nil {
		return delivery.Page{}, err
	}
	limit := min(max(q.Limit, 1), maxDeliveries)
	filter, sort := waitingAfter(due, id)
	if q.State == delivery.StateParked {
		filter, sort = parkedAfter(id)
	}
	part := append(slices.Clone(onlyTracks), bson.E{Key: "due_at", Value: 1})
	find := options.Find().SetProjection(part).SetSort(sort).SetLimit(int64(limit) + 1)
	var page delivery.Page
	err = s.do(ctx, "deliveries", func(ctx context.Context) error {
		page = delivery.Page{}
		return s.each(ctx, filter, find, func(raw bson.Raw) (bool, error) {
			if len(page.Deliveries) >= limit {
				page.Next = formatAfter(due, id)
				return false, nil
			}
			r, err := read(raw)
			if err != nil {
				return true, nil //nolint:nilerr // it is somebody else's; lists speak of it
			}
			tracks, err := r.tracks()
			if err != nil {
				return false, err
			}
			at, _ := raw.Lookup("due_at").DateTimeOK()
			due, id = bson.DateTime(at), r.id
			page.Deliveries = append(page.Deliveries, tracks.List(r.id, r.sequence, q.State)...)
			return true, nil
		})
	})
	if err != nil {
		return delivery.Page{}, err
	}
	return page, nil
}

// waitingAfter finds the orders of which something waits behind a place in the list, in its order.
func waitingAfter(due bson.DateTime, id order.ID) (filter, sort bson.D) {
	from := bson.E{Key: "due_at", Value: bson.D{{Key: "$gte", Value: due}}}
	return bson.D{from, ours, {Key: "$or", Value: bson.A{
		bson.D{{Key: "due_at", Value: bson.D{{Key: "$gt", Value: due}}}},
		bson.D{{Key: "due_at", Value: due}, {Key: "_id", Value: bson.D{{Key: "$gt", Value: bson.ObjectID(id)}}}},
	}}}, bson.D{{Key: "due_at", Value: 1}, {Key: "_id", Value: 1}}
}

// parkedAfter finds the orders of which something is parked behind a place in the list, in its order.
func parkedAfter(id order.ID) (filter, sort bson.D) {
	return bson.D{{Key: "parked", Value: true}, ours, {Key: "_id", Value: bson.D{{Key: "$gt", Value: bson.ObjectID(id)}}}},
		bson.D{{Key: "_id", Value: 1}}
}

// formatAfter and parseAfter are the opaque form of a place in the list of deliveries.
func formatAfter(due bson.DateTime, id order.ID) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(due)) //nolint:gosec // bits only
	return base64.RawURLEncoding.EncodeToString(append(b, id[:]...))
}

func parseAfter(text string) (due bson.DateTime, id order.ID, err error) {
	if text == "" {
		return 0, order.ID{}, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != 8+len(id) || strings.ContainsAny(text, "\r\n") { // which base64 passes over
		return 0, id, fault.New(fault.Invalid, "cursor_invalid", "must be the next_cursor of an earlier answer, unchanged")
	}
	return bson.DateTime(binary.BigEndian.Uint64(b)), order.ID(b[8:]), nil //nolint:gosec // bits only
}

// Redrive implements delivery.Store.
func (s *Store) Redrive(ctx context.Context, id order.ID, subscriber string, now time.Time) error {
	return s.changeTracks(ctx, "redrive", id, subscriber, func(tracks delivery.Tracks, sequence int) error {
		return tracks.Redrive(sequence, subscriber, now)
	})
}

// Skip implements delivery.Store.
func (s *Store) Skip(ctx context.Context, id order.ID, subscriber string, now time.Time) error {
	return s.changeTracks(ctx, "skip", id, subscriber, func(tracks delivery.Tracks, sequence int) error {
		return tracks.Skip(sequence, subscriber, now)
	})
}

// changeTracks applies change to the track of one subscriber of an order and writes it. When the answer to
// the write was lost and another has written since, it counts as made if that track is no longer as it was
// and has been told at least as much as it would have been: then no event is passed over twice.
func (s *Store) changeTracks(
	ctx context.Context, op string, id order.ID, subscriber string, change func(delivery.Tracks, int) error,
) error {
	return s.exclusively(ctx, op, id, s.findTracks, func(_ context.Context, r *record) (written, error) {
		tracks, err := r.tracks()
		if err != nil {
			return written{}, err
		}
		before := slices.Clone(tracks)
		if err := change(tracks, r.sequence); err != nil {
			return written{}, err
		}
		return written{
			update: r.tracksOf(tracks),
			done: func(_ context.Context, now *record) (bool, error) {
				list, err := now.tracks()
				was, want, is := trackOf(before, subscriber), trackOf(tracks, subscriber), trackOf(list, subscriber)
				return err == nil && !sameTrack(is, was) && is.Told >= want.Told, err
			},
		}, nil
	})
}

// trackOf is the track of a subscriber; the zero Track if there is none.
func trackOf(tracks delivery.Tracks, subscriber string) delivery.Track {
	i := slices.IndexFunc(tracks, func(t delivery.Track) bool { return t.Subscriber == subscriber })
	if i < 0 {
		return delivery.Track{}
	}
	return tracks[i]
}
