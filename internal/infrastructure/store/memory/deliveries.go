package memory

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// Claim implements delivery.Store.
func (s *Store) Claim(ctx context.Context, c delivery.Claim) ([]delivery.Task, error) {
	records, release, err := s.enter(ctx, "claim deliveries")
	if err != nil {
		return nil, err
	}
	defer release()
	var tasks []delivery.Task
	orders := 0
	for _, r := range byDue(records) {
		due, _ := r.tracks.DueAt(r.order.Sequence())
		if orders == c.Limit || due.After(c.Now) {
			break
		}
		leased := r.tracks.Claim(r.order.Sequence(), c)
		for i := range leased {
			tasks = append(tasks, r.task(&leased[i]))
		}
		if len(leased) > 0 {
			orders++
		}
	}
	return tasks, nil
}

// byDue returns the records with something to tell that is not parked, those due longest first.
func byDue(records map[order.ID]*record) []*record {
	var found []*record
	for _, r := range records {
		if _, ok := r.tracks.DueAt(r.order.Sequence()); ok {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b *record) int {
		dueA, _ := a.tracks.DueAt(a.order.Sequence())
		dueB, _ := b.tracks.DueAt(b.order.Sequence())
		return cmp.Or(dueA.Compare(dueB), a.order.ID().Compare(b.order.ID()))
	})
	return found
}

// task returns what a subscriber with this track is to be told next.
func (r *record) task(t *delivery.Track) delivery.Task {
	return delivery.Task{
		Message:    delivery.Message{Order: copied(r.order), Events: r.eventsAfter(t.Told, delivery.MaxEvents)},
		Subscriber: t.Subscriber,
		Attempts:   t.Attempts,
	}
}

// Settle implements delivery.Store.
func (s *Store) Settle(ctx context.Context, settlements []delivery.Settlement) ([]delivery.Settled, error) {
	records, release, err := s.enter(ctx, "settle deliveries")
	if err != nil {
		return nil, err
	}
	defer release()
	answers := make([]delivery.Settled, len(settlements))
	for i, settlement := range settlements {
		r, ok := records[settlement.Order]
		if !ok {
			answers[i].Lost = true
			continue
		}
		answers[i] = r.tracks.Settle(r.order.Sequence(), settlement)
	}
	return answers, nil
}

// Next implements delivery.Store. A subscriber that the order does not have has nothing left to be
// told.
func (s *Store) Next(ctx context.Context, id order.ID, subscriber string) (delivery.Task, error) {
	records, release, err := s.enter(ctx, "read next delivery")
	if err != nil {
		return delivery.Task{}, err
	}
	defer release()
	r, ok := records[id]
	if !ok {
		return delivery.Task{}, order.ErrNotFound
	}
	for i := range r.tracks {
		if t := &r.tracks[i]; t.Subscriber == subscriber {
			return r.task(t), nil
		}
	}
	return delivery.Task{Message: delivery.Message{Order: copied(r.order)}, Subscriber: subscriber}, nil
}

// Redrive implements delivery.Store.
func (s *Store) Redrive(ctx context.Context, id order.ID, subscriber string, now time.Time) error {
	return s.act(ctx, "redrive delivery", id, func(r *record) error {
		return r.tracks.Redrive(r.order.Sequence(), subscriber, now)
	})
}

// Skip implements delivery.Store.
func (s *Store) Skip(ctx context.Context, id order.ID, subscriber string, now time.Time) error {
	return s.act(ctx, "skip delivery", id, func(r *record) error {
		return r.tracks.Skip(r.order.Sequence(), subscriber, now)
	})
}

func (s *Store) act(ctx context.Context, operation string, id order.ID, do func(*record) error) error {
	records, release, err := s.enter(ctx, operation)
	if err != nil {
		return err
	}
	defer release()
	r, ok := records[id]
	if !ok {
		return order.ErrNotFound
	}
	return do(r)
}

// Deliveries implements delivery.Store.
func (s *Store) Deliveries(ctx context.Context, q delivery.Query) (delivery.Page, error) {
	after, err := parsePlace(q.After)
	if err != nil {
		return delivery.Page{}, err
	}
	records, release, err := s.enter(ctx, "list deliveries")
	if err != nil {
		return delivery.Page{}, err
	}
	defer release()
	var page delivery.Page
	last := ""
	for _, r := range listed(records, q.State) {
		at := r.place(q.State)
		if q.After != "" && at <= after {
			continue
		}
		if len(page.Deliveries) >= q.Limit {
			page.Next = base64.RawURLEncoding.EncodeToString([]byte(last))
			break
		}
		page.Deliveries = append(page.Deliveries, r.tracks.List(r.order.ID(), r.order.Sequence(), q.State)...)
		last = at
	}
	return page, nil
}

// Backlog implements delivery.Store.
func (s *Store) Backlog(ctx context.Context, subscribers []string, limit int) ([]delivery.Backlog, error) {
	records, release, err := s.enter(ctx, "count deliveries")
	if err != nil {
		return nil, err
	}
	defer release()
	tally := delivery.NewTally(subscribers)
	for _, state := range []delivery.State{delivery.StateWaiting, delivery.StateParked} {
		found := listed(records, state)
		if len(found) > limit {
			tally.More()
			found = found[:limit]
		}
		for _, r := range found {
			r.count(tally, state)
		}
	}
	return tally.Backlogs(), nil
}

// count counts what of the record is in the state.
func (r *record) count(tally *delivery.Tally, state delivery.State) {
	if state == delivery.StateParked {
		tally.Parked(r.tracks, r.order.Sequence())
		return
	}
	tally.Waiting(r.tracks, r.order.Sequence(), r.order.View().CreatedAt, func(sequence int) (time.Time, bool) {
		events := r.eventsAfter(sequence-1, 1)
		return events[0].Time, true
	})
}

// listed returns the records that have deliveries of the state, in the order of the list.
func listed(records map[order.ID]*record, state delivery.State) []*record {
	if state == delivery.StateWaiting {
		return byDue(records)
	}
	var parked []*record
	for _, r := range records {
		if r.tracks.Parked() {
			parked = append(parked, r)
		}
	}
	slices.SortFunc(parked, func(a, b *record) int { return a.order.ID().Compare(b.order.ID()) })
	return parked
}

// placeLayout writes times so that they sort as text.
const placeLayout = "2006-01-02T15:04:05.000000000"

// place returns where the record stands in the list of the state, as text that sorts so.
func (r *record) place(state delivery.State) string {
	if state == delivery.StateParked {
		return r.order.ID().String()
	}
	due, _ := r.tracks.DueAt(r.order.Sequence())
	return due.UTC().Format(placeLayout) + " " + r.order.ID().String()
}

// parsePlace reads a place out of the text of a page's Next.
func parsePlace(text string) (string, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if ok := len(b) == 24 || len(b) == len(placeLayout)+1+24 || text == ""; err != nil || !ok || strings.ContainsAny(text, "\r\n") { // which base64 passes over
		return "", fault.New(fault.Invalid, "cursor_invalid", "must be the next_cursor of an earlier answer, unchanged")
	}
	return string(b), nil
}
