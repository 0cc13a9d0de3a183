package delivery_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

var (
	noon   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	later  = time.Date(2026, 3, 1, 12, 1, 0, 0, time.UTC)
	sooner = time.Date(2026, 3, 1, 11, 59, 0, 0, time.UTC)
)

// never is no time: nothing is due.
var never time.Time

// track returns the track of the subscriber called events.
func track(told int, due time.Time, owner string) delivery.Track {
	return delivery.Track{Subscriber: "events", Told: told, DueAt: due, Owner: owner}
}

// retried returns t after so many failed tries.
func retried(t delivery.Track, attempts int) delivery.Track {
	t.Attempts, t.LastError = attempts, "away"
	return t
}

// givenUp returns t parked.
func givenUp(t delivery.Track) delivery.Track {
	t = retried(t, 9)
	t.Parked = true
	return t
}

func TestTracksChanged(t *testing.T) {
	mine := delivery.Handover{Subscribers: []string{"events"}, Owner: "me", Until: later}
	nobodys := delivery.Handover{Subscribers: []string{"events"}}
	history := delivery.Handover{Subscribers: []string{"events"}, AsTold: true}
	idle, leased, due, told := track(2, never, ""), track(2, later, "me"), track(2, noon, ""), track(3, never, "")
	type tracks = delivery.Tracks
	tests := map[string]struct {
		before tracks // of an order with two events, to which a third comes
		h      delivery.Handover
		want   delivery.Track
		leased bool
	}{
		"new subscriber":        {nil, mine, leased, true},
		"new without an owner":  {nil, nobodys, due, false},
		"new as told":           {nil, history, told, false},
		"idle":                  {tracks{idle}, mine, leased, true},
		"idle without an owner": {tracks{idle}, nobodys, due, false},
		"idle as told":          {tracks{idle}, history, told, false},
		"behind and due":        {tracks{retried(track(1, sooner, ""), 3)}, mine, retried(track(1, later, "me"), 3), true},
		"behind as told":        {tracks{track(1, sooner, "")}, history, track(1, noon, ""), false},
		"waiting for a retry":   {tracks{retried(track(1, later, ""), 1)}, mine, retried(track(1, later, ""), 1), false},
		"leased by another":     {tracks{track(1, later, "you")}, mine, track(1, later, "you"), false},
		"leased, as told":       {tracks{track(2, later, "you")}, history, track(2, later, "you"), false},
		"lease over":            {tracks{track(2, noon, "you")}, mine, leased, true},
		"lease over, no owner":  {tracks{track(2, noon, "you")}, nobodys, due, false},
		"parked":                {tracks{givenUp(track(1, never, ""))}, mine, givenUp(track(1, never, "")), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ts := slices.Clone(test.before)
			got := ts.Changed(2, 3, test.h, noon)
			if diff := cmp.Diff(tracks{test.want}, ts); diff != "" {
				t.Errorf("tracks (-want +got):\n%s", diff)
			}
			if want := []delivery.Track{test.want}; test.leased != (len(got) == 1) || test.leased && !cmp.Equal(want, got) {
				t.Errorf("leased = %+v, want it: %v", got, test.leased)
			}
		})
	}
}

func TestTracksClaim(t *testing.T) {
	c := delivery.Claim{Owner: "me", Subscribers: []string{"events"}, Now: noon, Until: later}
	tests := map[string]struct{ before, want delivery.Track }{
		"due":         {track(1, noon, ""), track(1, later, "me")},
		"lease over":  {track(0, sooner, "you"), track(0, later, "me")},
		"not due yet": {track(0, later, ""), track(0, later, "")},
		"told":        {track(2, never, ""), track(2, never, "")},
		"parked":      {givenUp(track(0, never, "")), givenUp(track(0, never, ""))},
		"of somebody else": {
			delivery.Track{Subscriber: "webhook", DueAt: noon}, delivery.Track{Subscriber: "webhook", DueAt: noon.Add(time.Minute)},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ts := delivery.Tracks{test.before}
			leased := ts.Claim(2, c)
			if diff := cmp.Diff(test.want, ts[0]); diff != "" {
				t.Errorf("track (-want +got):\n%s", diff)
			}
			if want := test.want.Owner == "me"; want != (len(leased) == 1) {
				t.Errorf("leased = %+v, want it: %v", leased, want)
			}
		})
	}
}

func TestTracksSettle(t *testing.T) {
	const owner = "me"
	mine, yours := retried(track(1, later, owner), 2), retried(track(1, later, "you"), 2)
	full := func(t delivery.Track, attempts int) delivery.Track {
		t.Attempts, t.LastError, t.Parked = attempts, "full", t.DueAt.IsZero()
		return t
	}
	type settlement = delivery.Settlement
	var done, lost, more delivery.Settled
	lost.Lost, more.More = true, true
	tests := map[string]struct {
		before delivery.Track // of an order with three events
		s      settlement
		want   delivery.Track
		answer delivery.Settled
	}{
		"all told":   {mine, settlement{Told: 3, Until: later}, track(3, never, ""), done},
		"more":       {mine, settlement{Told: 2, Until: later.Add(1)}, track(2, later.Add(1), owner), more},
		"given back": {mine, settlement{RetryAt: noon}, retried(track(1, noon, ""), 2), done},
		"failed": {
			mine, settlement{Told: 1, Error: "full", Attempts: 3, RetryAt: later}, full(track(1, later, ""), 3), done,
		},
		"failed after progress": {
			mine, settlement{Told: 2, Error: "full", Attempts: 1, RetryAt: later}, full(track(2, later, ""), 1), done,
		},
		"parked":                {mine, settlement{Told: 1, Error: "full", Attempts: 3}, full(track(1, never, ""), 3), done},
		"lost, and nothing new": {yours, settlement{Told: 1, Error: "full", RetryAt: noon}, yours, lost},
		"lost, but told":        {yours, settlement{Told: 2, Until: later}, track(2, later, "you"), lost},
		"parked, but told":      {givenUp(track(1, never, "")), settlement{Told: 3, Until: later}, track(3, never, ""), lost},
		"more than there is":    {mine, settlement{Told: 7, Until: later}, track(3, never, ""), done},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ts := delivery.Tracks{test.before}
			test.s.Subscriber, test.s.Owner = "events", owner
			if answer := ts.Settle(3, test.s); answer != test.answer {
				t.Errorf("answer = %+v, want %+v", answer, test.answer)
			}
			if diff := cmp.Diff(test.want, ts[0]); diff != "" {
				t.Errorf("track (-want +got):\n%s", diff)
			}
		})
	}
	if answer := (delivery.Tracks{}).Settle(3, delivery.Settlement{Subscriber: "events", Owner: "me"}); !answer.Lost {
		t.Errorf("settling an unknown subscriber = %+v, want lost", answer)
	}
}

func TestTracksAbandon(t *testing.T) {
	ts := delivery.Tracks{
		{Subscriber: "a", DueAt: later, Owner: "you"}, {Subscriber: "b", DueAt: later, Owner: "me"}, {Subscriber: "c", DueAt: later},
	}
	isAlive := func(owner string) bool { return owner == "me" }
	if !ts.Abandon(isAlive, noon) || ts.Abandon(isAlive, noon) {
		t.Error("Abandon must report what it freed, once")
	}
	want := delivery.Tracks{
		{Subscriber: "a", DueAt: noon}, {Subscriber: "b", DueAt: later, Owner: "me"}, {Subscriber: "c", DueAt: later},
	}
	if diff := cmp.Diff(want, ts); diff != "" {
		t.Errorf("tracks (-want +got):\n%s", diff)
	}
}

// machine drives the tracks of one order as stores do, at random, and checks the rules after each step.
type machine struct {
	tracks   delivery.Tracks
	sequence int
	now      time.Time
}

var (
	machineSubscribers = []string{"events", "manifests"}
	machineOwners      = []string{"a", "b"}
)

func (m *machine) tick(t *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second)
}

func (m *machine) change(t *rapid.T) {
	h := delivery.Handover{Subscribers: machineSubscribers, AsTold: rapid.IntRange(0, 9).Draw(t, "history") == 0}
	if !h.AsTold && rapid.Bool().Draw(t, "owned") {
		h.Owner, h.Until = rapid.SampledFrom(machineOwners).Draw(t, "owner"), m.now.Add(30*time.Second)
	}
	before := m.sequence
	m.sequence += rapid.IntRange(1, 3).Draw(t, "events")
	for _, leased := range m.tracks.Changed(before, m.sequence, h, m.now) {
		if leased.Owner != h.Owner || leased.Parked || leased.Told >= m.sequence {
			t.Fatalf("leased %+v by %+v", leased, h)
		}
	}
}

func (m *machine) claim(t *rapid.T) {
	c := delivery.Claim{
		Owner: rapid.SampledFrom(machineOwners).Draw(t, "owner"), Subscribers: machineSubscribers[:rapid.IntRange(0, 2).Draw(t, "known")],
		Now: m.now, Until: m.now.Add(30 * time.Second),
	}
	before := slices.Clone(m.tracks)
	for _, leased := range m.tracks.Claim(m.sequence, c) {
		for _, b := range before {
			if b.Subscriber == leased.Subscriber && (b.Parked || b.DueAt.After(m.now) || b.Told >= m.sequence) {
				t.Fatalf("claimed %+v, which was not due", b)
			}
		}
	}
}

func (m *machine) settle(t *rapid.T) {
	s := delivery.Settlement{
		Subscriber: rapid.SampledFrom(machineSubscribers).Draw(t, "subscriber"), Owner: rapid.SampledFrom(machineOwners).Draw(t, "owner"),
		Told: rapid.IntRange(0, m.sequence).Draw(t, "told"),
	}
	switch rapid.IntRange(0, 3).Draw(t, "outcome") {
	case 0:
		s.Until = m.now.Add(30 * time.Second)
	case 1:
		s.Error, s.Attempts, s.RetryAt = "away", 1, m.now.Add(5*time.Second)
	case 2:
		s.Error, s.Attempts = "away", 10
	case 3:
		s.RetryAt = m.now
	}
	answer := m.tracks.Settle(m.sequence, s)
	for _, track := range m.tracks {
		if track.Subscriber == s.Subscriber && answer.More && (track.Owner != s.Owner || track.Told >= m.sequence) {
			t.Fatalf("more to tell of %+v by %s", track, s.Owner)
		}
	}
}

func (m *machine) operate(t *rapid.T) {
	name := rapid.SampledFrom(machineSubscribers).Draw(t, "subscriber")
	act, before := m.tracks.Redrive, slices.Clone(m.tracks)
	if rapid.Bool().Draw(t, "skip") {
		act = m.tracks.Skip
	}
	if err := act(m.sequence, name, m.now); err != nil && !cmp.Equal(before, m.tracks) {
		t.Fatalf("refused (%v) and yet changed: %+v", err, m.tracks)
	}
}

// check holds what must always be true.
func (m *machine) check(t *rapid.T) {
	for _, track := range m.tracks {
		pending := track.Told < m.sequence
		switch {
		case track.Told > m.sequence:
			t.Fatalf("told more than there is: %+v", track)
		case track.Parked && (track.Owner != "" || !pending):
			t.Fatalf("parked, but held or not pending: %+v", track)
		case pending && !track.Parked && track.DueAt.IsZero():
			t.Fatalf("pending and forgotten: %+v", track)
		case track.Owner != "" && track.DueAt.IsZero():
			t.Fatalf("a lease without an end: %+v", track)
		}
	}
	due, found := m.tracks.DueAt(m.sequence)
	waiting := m.tracks.List(order.ID{1}, m.sequence, delivery.StateWaiting)
	isDue := func(d delivery.Delivery) bool { return d.Track.DueAt.Equal(due) }
	if found != (len(waiting) > 0) || found && !slices.ContainsFunc(waiting, isDue) {
		t.Fatalf("due at %v, %v; waiting are %+v", due, found, waiting)
	}
	if parked := m.tracks.List(order.ID{1}, m.sequence, delivery.StateParked); m.tracks.Parked() != (len(parked) > 0) {
		t.Fatalf("parked: %v, listed %+v", m.tracks.Parked(), parked)
	}
}

func TestTracksInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{now: noon}
		m.change(t)
		told := map[string]int{}
		t.Repeat(map[string]func(*rapid.T){
			"tick": m.tick, "change": m.change, "claim": m.claim, "settle": m.settle, "operate": m.operate,
			"": func(t *rapid.T) {
				m.check(t)
				for _, track := range m.tracks {
					if track.Told < told[track.Subscriber] {
						t.Fatalf("%s was told %d events and now %d", track.Subscriber, told[track.Subscriber], track.Told)
					}
					told[track.Subscriber] = track.Told
				}
			},
		})
		m.finish(t)
	})
}

// finish proves that nothing is ever stuck: once the leases are over, one dispatcher and an operator
// bring every track to its end.
func (m *machine) finish(t *rapid.T) {
	m.now = m.now.Add(time.Hour)
	for _, name := range machineSubscribers {
		if err := m.tracks.Redrive(m.sequence, name, m.now); err != nil && fault.KindOf(err) == fault.Internal {
			t.Fatalf("Redrive: %v", err)
		}
	}
	c := delivery.Claim{Owner: "last", Subscribers: machineSubscribers, Now: m.now, Until: m.now.Add(time.Minute)}
	for _, track := range m.tracks.Claim(m.sequence, c) {
		m.tracks.Settle(m.sequence, delivery.Settlement{Subscriber: track.Subscriber, Owner: "last", Told: m.sequence, Until: c.Until})
	}
	for _, track := range m.tracks {
		if track.Told != m.sequence || track.Parked || track.Owner == "last" {
			t.Fatalf("left behind: %+v of %d", track, m.sequence)
		}
	}
}
