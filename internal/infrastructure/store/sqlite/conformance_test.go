package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/sqlite"
	"order-processing-service/internal/infrastructure/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		Exclusive: true,
		New: func(t *testing.T) storetest.Place {
			t.Helper()
			path := filepath.Join(t.TempDir(), "orders.db")
			return storetest.Place{
				Open: func(context.Context) (storetest.Store, error) {
					return sqlite.Open(sqlite.Config{Path: path})
				},
				Damage: storetest.Damage{
					Order:  func(id order.ID) { spoilColumn(t, path, "doc", id) },
					Tracks: func(id order.ID) { spoilColumn(t, path, "tracks", id) },
				},
			}
		},
	})
}
