package delivery

import (
	"slices"
	"time"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// Track is where one subscriber stands in one order's events. It is stored with the order. A track
// is pending while Told is behind the order's sequence.
type Track struct {
	Subscriber string
	// Told is the sequence of the last event the subscriber has been told; 0 before the first.
	Told int
	// Attempts counts the tries of the event after Told that failed for the order's sake.
	Attempts int
	// DueAt is when the subscriber is to be told next or, while Owner is set, when the lease ends.
	// It is zero when nothing is pending or the track is parked.
	DueAt time.Time
	// Owner is the dispatcher that holds the lease; "" when nobody does.
	Owner string
	// Parked tracks wait for an operator.
	Parked bool
	// LastError says why the last try failed, or why none can be made; "" after a success.
	LastError string
}

// Tracks are the tracks of one order, in no particular order. The methods that change them are the
// whole of the delivery rules: they are pure, so that every store applies the same ones, in the same
// atomic write as the rest of the order.
type Tracks []Track //nolint:recvcheck // only Changed can add a track

// Handover says, with a change that is about to be written, who is to be told of it.
type Handover struct {
	// Subscribers names everybody who is to be told.
	Subscribers []string
	// Owner is the dispatcher that takes the work at commit, until Until. Without an owner it is due
	// at once, for whichever process looks first.
	Owner string
	Until time.Time
	// AsTold marks the change as history: it counts as told.
	AsTold bool
}

// Changed takes note of a change that brought the order from sequence before to sequence after, and
// returns the tracks that the handover's owner holds from now on. A subscriber that is new to the
// order is told from this change on. Tracks that somebody works on, that wait for another try, or
// that are parked keep their place: who settles them will find that there is more.
func (ts *Tracks) Changed(before, after int, h Handover, now time.Time) []Track {
	var leased []Track
	if h.Owner != "" {
		leased = make([]Track, 0, len(h.Subscribers))
	}
	if len(*ts) == 0 {
		*ts = make(Tracks, 0, len(h.Subscribers))
	}
	for _, name := range h.Subscribers {
		i := ts.index(name)
		if i < 0 {
			*ts = append(*ts, Track{Subscriber: name, Told: before})
			i = len(*ts) - 1
		}
		t := &(*ts)[i]
		switch {
		case h.AsTold && t.Told == before && t.Owner == "":
			t.Told, t.DueAt = after, time.Time{}
		case t.Parked, t.DueAt.After(now):
		case h.Owner == "":
			t.DueAt, t.Owner = now, ""
		default:
			t.DueAt, t.Owner = h.Until, h.Owner
			leased = append(leased, *t)
		}
	}
	return leased
}

// unknownSubscriberDelay is how long a track rests whose subscriber this dispatcher does not have:
// another process may have it, or it may come back.
const unknownSubscriberDelay = time.Minute

// Claim leases the due tracks of the claim's subscribers to its owner and returns them. Due tracks
// of other subscribers are put off, so that they are not looked at over and over.
func (ts Tracks) Claim(sequence int, c Claim) []Track {
	var leased []Track
	for i := range ts {
		t := &ts[i]
		switch {
		case !t.due(sequence, c.Now):
		case !slices.Contains(c.Subscribers, t.Subscriber):
			t.DueAt, t.Owner = c.Now.Add(unknownSubscriberDelay), ""
		default:
			t.DueAt, t.Owner = c.Until, c.Owner
			leased = append(leased, *t)
		}
	}
	return leased
}

// Settle takes note of how a delivery ended.
func (ts Tracks) Settle(sequence int, s Settlement) Settled {
	i := ts.index(s.Subscriber)
	if i < 0 {
		return Settled{Lost: true}
	}
	t := &ts[i]
	if s.Told > t.Told {
		// It was told, whoever holds the lease now.
		t.Told, t.Attempts, t.LastError = min(s.Told, sequence), 0, ""
	}
	pending := t.Told < sequence
	if t.Owner != s.Owner || s.Owner == "" {
		if !pending && t.Owner == "" {
			t.DueAt, t.Parked = time.Time{}, false
		}
		return Settled{Lost: true}
	}
	switch {
	case !pending:
		t.DueAt, t.Owner = time.Time{}, ""
	case s.Error != "":
		t.Attempts, t.LastError, t.Owner = s.Attempts, s.Error, ""
		t.DueAt, t.Parked = s.RetryAt, s.RetryAt.IsZero()
	case s.Until.IsZero():
		t.DueAt, t.Owner = s.RetryAt, ""
	default:
		t.DueAt = s.Until
		return Settled{More: true}
	}
	return Settled{}
}

// Abandon frees the leases of owners that are not alive, and reports whether there were any. It is
// for a store that knows who is.
func (ts Tracks) Abandon(alive func(owner string) bool, now time.Time) bool {
	freed := false
	for i := range ts {
		if t := &ts[i]; t.Owner != "" && !alive(t.Owner) {
			t.Owner, t.DueAt = "", now
			freed = true
		}
	}
	return freed
}

// List returns what an operator sees of the tracks in the given state.
func (ts Tracks) List(id order.ID, sequence int, state State) []Delivery {
	var list []Delivery
	for _, t := range ts {
		if t.in(state, sequence) {
			list = append(list, Delivery{Order: id, Sequence: t.Told + 1, State: state, Track: t})
		}
	}
	return list
}

// Redrive makes the subscriber's track due now, with all its tries ahead of it. The error is a fault
// of kind NotFound or, when nothing waits or it is being told right now, NotAllowed.
func (ts Tracks) Redrive(sequence int, subscriber string, now time.Time) error {
	t, err := ts.waiting(sequence, subscriber, now)
	if err != nil {
		return err
	}
	t.Parked, t.Attempts, t.Owner, t.DueAt = false, 0, "", now
	return nil
}

// Skip passes over the event that the subscriber is to be told next; what comes after it is due now.
// Errors are those of Redrive.
func (ts Tracks) Skip(sequence int, subscriber string, now time.Time) error {
	t, err := ts.waiting(sequence, subscriber, now)
	if err != nil {
		return err
	}
	t.Told++
	t.Parked, t.Attempts, t.LastError, t.Owner = false, 0, "", ""
	t.DueAt = time.Time{}
	if t.Told < sequence {
		t.DueAt = now
	}
	return nil
}

// waiting returns the track of a subscriber that has something untold and is not at it right now.
func (ts Tracks) waiting(sequence int, subscriber string, now time.Time) (*Track, error) {
	i := ts.index(subscriber)
	if i < 0 {
		return nil, fault.New(fault.NotFound, "delivery_not_found", "the order has no subscriber of this name; see GET /deliveries")
	}
	t := &ts[i]
	switch {
	case t.Told >= sequence:
		return nil, fault.New(fault.NotAllowed, "delivery_not_waiting",
			"the subscriber has been told everything; nothing waits or is parked")
	case t.Owner != "" && t.DueAt.After(now):
		return nil, fault.New(fault.NotAllowed, "delivery_in_progress", "the subscriber is being told right now; try again in a moment")
	}
	return t, nil
}

// DueAt returns when the order is to be looked at next: the earliest date among its tracks that are
// pending and not parked. It is false when there is none.
func (ts Tracks) DueAt(sequence int) (time.Time, bool) {
	var due time.Time
	found := false
	for i := range ts {
		t := &ts[i]
		if t.Parked || t.Told >= sequence {
			continue
		}
		if !found || t.DueAt.Before(due) {
			due, found = t.DueAt, true
		}
	}
	return due, found
}

// Parked reports whether any track is parked.
func (ts Tracks) Parked() bool {
	return slices.ContainsFunc(ts, func(t Track) bool { return t.Parked })
}

func (ts Tracks) index(subscriber string) int {
	return slices.IndexFunc(ts, func(t Track) bool { return t.Subscriber == subscriber })
}

// in reports whether the track has something to tell and stands in the given state.
func (t *Track) in(state State, sequence int) bool {
	return t.Told < sequence && t.Parked == (state == StateParked)
}

func (t *Track) due(sequence int, now time.Time) bool {
	return !t.Parked && t.Told < sequence && !t.DueAt.After(now)
}
