package delivery

import "time"

// MaxBacklog is how many orders of each state a look at the backlog goes through where nothing asks for
// another bound: enough to tell trouble from a busy moment, and read in a fraction of a second.
const MaxBacklog = 10_000

// Backlog is what one subscriber has yet to be told, whichever process is to do it.
type Backlog struct {
	Subscriber string
	// Waiting and Parked count deliveries, one an order, by State. What is being told right now waits.
	Waiting, Parked int
	// More: there are more orders than were looked at, so there may be more that wait or are parked, and
	// longer. Subscribers share the bound, so it is the same for all of them.
	More bool
	// Oldest is when the event happened that has been waiting longest; zero when none waits. What is
	// parked does not count: it waits for an operator.
	Oldest time.Time
}

// Tally counts the backlogs of subscribers for a store that goes through its orders. It must not be used
// concurrently.
type Tally struct{ backlogs []Backlog }

// NewTally returns a Tally that counts what the given subscribers have yet to be told, and nobody else.
func NewTally(subscribers []string) *Tally {
	t := &Tally{backlogs: make([]Backlog, len(subscribers))}
	for i, name := range subscribers {
		t.backlogs[i].Subscriber = name
	}
	return t
}

// Waiting counts what waits of an order that was created at the given time and whose newest event has the
// given sequence. Happened tells when the event of a sequence happened, false if that can't be read; it is
// asked only if that may be older than what was counted before, as no event is older than its order.
func (t *Tally) Waiting(tracks Tracks, sequence int, created time.Time, happened func(sequence int) (time.Time, bool)) {
	next, since, ok := 1, created, true // the event to be told next that was looked at last
	t.each(tracks, sequence, StateWaiting, func(b *Backlog, told int) {
		b.Waiting++
		if !b.Oldest.IsZero() && !created.Before(b.Oldest) {
			return
		}
		if next != told+1 { // most subscribers wait for the same event
			next = told + 1
			since, ok = created, true
			if next > 1 {
				since, ok = happened(next)
			}
		}
		if ok && (b.Oldest.IsZero() || since.Before(b.Oldest)) {
			b.Oldest = since
		}
	})
}

// Parked counts what is parked of an order whose newest event has the given sequence.
func (t *Tally) Parked(tracks Tracks, sequence int) {
	t.each(tracks, sequence, StateParked, func(b *Backlog, _ int) { b.Parked++ })
}

// More takes note of orders that are not looked at.
func (t *Tally) More() {
	for i := range t.backlogs {
		t.backlogs[i].More = true
	}
}

// Backlogs returns what was counted, a row for each subscriber, in the order in which they were named.
func (t *Tally) Backlogs() []Backlog { return t.backlogs }

// each calls count for each track in the state whose subscriber's backlog is counted.
func (t *Tally) each(tracks Tracks, sequence int, state State, count func(b *Backlog, told int)) {
	for i := range tracks {
		if !tracks[i].in(state, sequence) {
			continue
		}
		for j := range t.backlogs {
			if t.backlogs[j].Subscriber == tracks[i].Subscriber {
				count(&t.backlogs[j], tracks[i].Told)
			}
		}
	}
}
