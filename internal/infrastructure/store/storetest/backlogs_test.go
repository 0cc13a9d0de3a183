package storetest_test

import (
	"context"
	"math"
	"slices"
	"time"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/infrastructure/store/storetest"
)

// wrongBacklogs are ways to count wrongly what is yet to be told, by name.
func wrongBacklogs() map[string]func(storetest.Store) broken {
	const all = 1_000
	// edited changes what a right store answers.
	edited := func(edit func(rows []delivery.Backlog) []delivery.Backlog) func(storetest.Store) broken {
		return func(s storetest.Store) broken {
			return broken{backlog: func(ctx context.Context, subscribers []string, limit int) ([]delivery.Backlog, error) {
				rows, err := s.Backlog(ctx, subscribers, limit)
				return edit(rows), err
			}}
		}
	}
	// each does so with what is listed of a delivery that waits.
	each := func(edit func(s storetest.Store, b *delivery.Backlog, d *delivery.Delivery)) func(storetest.Store) broken {
		return func(s storetest.Store) broken {
			return broken{backlog: func(ctx context.Context, subscribers []string, limit int) ([]delivery.Backlog, error) {
				rows, err := s.Backlog(ctx, subscribers, limit)
				if err != nil {
					return nil, err
				}
				page, err := s.Deliveries(ctx, delivery.Query{State: delivery.StateWaiting, Limit: all})
				for i := range page.Deliveries {
					for j := range rows {
						if d := &page.Deliveries[i]; d.Track.Subscriber == rows[j].Subscriber {
							edit(s, &rows[j], d)
						}
					}
				}
				return rows, err
			}}
		}
	}
	return map[string]func(storetest.Store) broken{
		"a backlog without its bound": func(s storetest.Store) broken {
			return broken{backlog: func(ctx context.Context, subscribers []string, _ int) ([]delivery.Backlog, error) {
				return s.Backlog(ctx, subscribers, math.MaxInt)
			}}
		},
		"a bound of the backlog that is not told": edited(func(rows []delivery.Backlog) []delivery.Backlog {
			for i := range rows {
				rows[i].More = false
			}
			return rows
		}),
		"a backlog sorted by subscriber": edited(func(rows []delivery.Backlog) []delivery.Backlog {
			slices.SortFunc(rows, func(a, b delivery.Backlog) int {
				if a.Subscriber < b.Subscriber {
					return -1
				}
				return 1
			})
			return rows
		}),
		"a backlog without those that have none": edited(func(rows []delivery.Backlog) []delivery.Backlog {
			return slices.DeleteFunc(rows, func(b delivery.Backlog) bool { return b.Waiting+b.Parked == 0 })
		}),
		"parked deliveries that wait": edited(func(rows []delivery.Backlog) []delivery.Backlog {
			for i := range rows {
				rows[i].Waiting += rows[i].Parked
			}
			return rows
		}),
		"a backlog without what is being told": each(func(_ storetest.Store, b *delivery.Backlog, d *delivery.Delivery) {
			if d.Track.Owner != "" {
				b.Waiting--
			}
		}),
		"a backlog without what rests": each(func(_ storetest.Store, b *delivery.Backlog, d *delivery.Delivery) {
			if d.Track.Attempts > 0 {
				b.Waiting--
			}
		}),
		"the oldest by the newest event": each(func(s storetest.Store, b *delivery.Backlog, d *delivery.Delivery) {
			if o, err := s.Get(context.Background(), d.Order); err == nil {
				b.Oldest = o.View().UpdatedAt
			}
		}),
		"the oldest by the order": each(func(s storetest.Store, b *delivery.Backlog, d *delivery.Delivery) {
			if o, err := s.Get(context.Background(), d.Order); err == nil && o.View().CreatedAt.Before(b.Oldest) {
				b.Oldest = o.View().CreatedAt
			}
		}),
		"the oldest by when it is due": each(func(_ storetest.Store, b *delivery.Backlog, d *delivery.Delivery) {
			b.Oldest = d.Track.DueAt
		}),
		"an oldest where nothing waits": edited(func(rows []delivery.Backlog) []delivery.Backlog {
			for i := range rows {
				if rows[i].Oldest.IsZero() {
					rows[i].Oldest = time.Unix(0, 0).UTC()
				}
			}
			return rows
		}),
	}
}
