package document

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"order-processing-service/internal/application/copying"
	"order-processing-service/internal/application/delivery"
)

// Difference says in a few words how what is kept of an order differs from a record of it; "" when the
// two are stored alike. It compares the stored forms, so that nothing that is kept is left out.
func Difference(there, record *copying.Record) string {
	if have, want := there.Order.Version(), record.Order.Version(); have != want {
		return fmt.Sprintf("it has version %d there, not %d", have, want)
	}
	form := func(r *copying.Record) []byte { return AppendOrder(nil, r.Order.View()) }
	if !bytes.Equal(form(there), form(record)) {
		return "its content is another"
	}
	if !bytes.Equal(AppendEvents(nil, there.Events), AppendEvents(nil, record.Events)) {
		return "its events are others"
	}
	if !bytes.Equal(sortedTracks(there.Tracks), sortedTracks(record.Tracks)) {
		return "its deliveries stand elsewhere"
	}
	return ""
}

// sortedTracks is the stored form of tracks in the order of their subscribers: theirs means nothing.
func sortedTracks(tracks delivery.Tracks) []byte {
	sorted := slices.SortedFunc(slices.Values(tracks), func(a, b delivery.Track) int {
		return strings.Compare(a.Subscriber, b.Subscriber)
	})
	return AppendTracks(nil, sorted)
}
