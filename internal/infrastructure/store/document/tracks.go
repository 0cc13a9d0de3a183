package document

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/application/delivery"
)

type trackDoc struct {
	Subscriber string `json:"subscriber"`
	Told       int    `json:"told"`
	Attempts   int    `json:"attempts"`
	DueAt      int64  `json:"due_at"`
	Owner      string `json:"owner"`
	Parked     bool   `json:"parked"`
	LastError  string `json:"last_error"`
}

// AppendTracks appends the stored form of an order's tracks.
func AppendTracks(dst []byte, tracks delivery.Tracks) []byte {
	w := writer{dst, len(dst)}
	w.open('[')
	for i := range tracks {
		t := &tracks[i]
		w.open('{')
		w.text("subscriber", t.Subscriber)
		w.number("told", int64(t.Told))
		w.number("attempts", int64(t.Attempts))
		w.time("due_at", t.DueAt)
		w.text("owner", t.Owner)
		if t.Parked {
			w.key("parked")
			w.b = append(w.b, "true"...)
		}
		w.text("last_error", t.LastError)
		w.close('}')
	}
	w.close(']')
	return w.b
}

// DecodeTracks reads what AppendTracks wrote.
func DecodeTracks(data []byte) (delivery.Tracks, error) {
	var docs []trackDoc
	if err := json.Unmarshal(data, &docs); err != nil {
		return nil, damaged(fmt.Errorf("decode tracks: %w", err))
	}
	tracks := make(delivery.Tracks, len(docs))
	for i, d := range docs {
		tracks[i] = delivery.Track{
			Subscriber: d.Subscriber, Told: d.Told, Attempts: d.Attempts, Owner: d.Owner, Parked: d.Parked, LastError: d.LastError,
		}
		if d.DueAt != 0 {
			tracks[i].DueAt = time.UnixMilli(d.DueAt).UTC()
		}
	}
	return tracks, nil
}
