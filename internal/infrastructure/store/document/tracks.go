package document

import (
	"fmt"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/application/delivery"
)

type trackDoc struct {
	Subscriber string  `json:"subscriber"`
	Told       int     `json:"told"`
	Attempts   int     `json:"attempts"`
	DueAt      instant `json:"due_at"`
	Owner      string  `json:"owner"`
	Parked     bool    `json:"parked"`
	LastError  string  `json:"last_error"`
}

// tracks writes the list of an order's tracks.
func (w writer) tracks(tracks delivery.Tracks) {
	w.open('[')
	for i := range tracks {
		t := &tracks[i]
		w.open('{')
		w.text("subscriber", t.Subscriber)
		w.number("told", int64(t.Told))
		w.number("attempts", int64(t.Attempts))
		w.time("due_at", t.DueAt)
		w.text("owner", t.Owner)
		w.flag("parked", t.Parked)
		w.text("last_error", t.LastError)
		w.close('}')
	}
	w.close(']')
}

// DecodeTracks reads what AppendTracks wrote.
func DecodeTracks(data []byte) (delivery.Tracks, error) {
	var docs []trackDoc
	if err := json.Unmarshal(data, &docs); err != nil {
		return nil, damaged(fmt.Errorf("decode tracks: %w", err))
	}
	return tracksOf(docs), nil
}

func tracksOf(docs []trackDoc) delivery.Tracks {
	tracks := make(delivery.Tracks, len(docs))
	for i, d := range docs {
		tracks[i] = delivery.Track{
			Subscriber: d.Subscriber, Told: d.Told, Attempts: d.Attempts, Owner: d.Owner, Parked: d.Parked, LastError: d.LastError,
		}
		if d.DueAt != 0 {
			tracks[i].DueAt = d.DueAt.time()
		}
	}
	return tracks
}
