package memory_test

import (
	"context"
	"testing"

	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/infrastructure/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, storetest.Harness{New: func(*testing.T) storetest.Place {
		m := memory.New()
		return storetest.Place{
			Open: func(context.Context) (storetest.Store, error) { return m.Open(), nil },
			Cut: func() (heal func()) {
				m.SetAway(true)
				return func() { m.SetAway(false) }
			},
		}
	}})
}
