package memory

import (
	"context"
	"slices"

	"order-processing-service/internal/application/copying"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/document"
)

// CountRecords implements copying.Source.
func (s *Store) CountRecords(ctx context.Context) (int64, error) {
	records, release, err := s.enter(ctx, "count records")
	if err != nil {
		return 0, err
	}
	defer release()
	return int64(len(records)), nil
}

// Records implements copying.Source. What an order would take in a stored form counts as its bytes.
func (s *Store) Records(ctx context.Context, wanted copying.Range) (copying.Page, error) {
	records, release, err := s.enter(ctx, "read records")
	if err != nil {
		return copying.Page{}, err
	}
	defer release()
	var ids []order.ID
	for id := range records {
		if id.Compare(wanted.After) > 0 {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, order.ID.Compare)
	var page copying.Page
	size := 0
	for _, id := range ids[:min(len(ids), wanted.Limit)] {
		r := records[id].whole()
		page.Records = append(page.Records, r)
		page.Next = id
		size += len(document.AppendOrder(nil, r.Order.View())) + len(document.AppendEvents(nil, r.Events))
		if size >= wanted.Bytes {
			break
		}
	}
	return page, nil
}

// whole returns all that is kept of the order, sharing nothing.
func (r *record) whole() copying.Record {
	return copying.Record{Order: copied(r.order), Events: slices.Clone(r.events), Tracks: slices.Clone(r.tracks)}
}

// InsertRecords implements copying.Destination.
func (s *Store) InsertRecords(ctx context.Context, given []copying.Record) []copying.Inserted {
	answers := make([]copying.Inserted, len(given))
	for i := range given {
		answers[i] = s.insertRecord(ctx, &given[i])
	}
	return answers
}

func (s *Store) insertRecord(ctx context.Context, given *copying.Record) copying.Inserted {
	records, release, err := s.enter(ctx, "insert record")
	if err != nil {
		return copying.Inserted{Err: err}
	}
	defer release()
	id := given.Order.ID()
	if r, ok := records[id]; ok {
		there := r.whole()
		return copying.Inserted{Existing: true, Differs: document.Difference(&there, given)}
	}
	records[id] = &record{order: copied(given.Order), events: slices.Clone(given.Events), tracks: slices.Clone(given.Tracks)}
	return copying.Inserted{}
}
