package httpapi_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/orderclient"
	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/interfaces/httpapi"
)

// refusing is a store that refuses every new order with a fault of a kind.
type refusing struct {
	ordering.Store
	kind fault.Kind
}

func (r *refusing) Create(_ context.Context, orders []ordering.NewOrder) []ordering.Created {
	answers := make([]ordering.Created, len(orders))
	for i := range answers {
		answers[i].Err = fault.New(r.kind, "refused", "it is refused")
	}
	return answers
}

// TestKindsComeBackFromTheirStatus holds together the two tables between kinds of faults and statuses:
// that of this package, and its inverse in the client.
func TestKindsComeBackFromTheirStatus(t *testing.T) {
	store := &refusing{}
	s := start(t, func(c *httpapi.Config, m *memory.Store) {
		store.Store = m
		c.Orders = orders(m, store)
	})
	client, err := orderclient.New(s.url, orderclient.Credentials{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	draft := order.Draft{CustomerID: "c-1", Items: []order.DraftItem{{SKU: "TEA", Quantity: 1, UnitPrice: "1"}}}
	statuses := map[int]fault.Kind{}
	for kind := fault.Internal; kind <= fault.Unavailable; kind++ {
		store.kind = kind
		outcomes, err := client.Place(t.Context(), []ordering.Place{{Draft: draft}})
		if err != nil {
			t.Fatal(err)
		}
		if f := fault.Of(outcomes[0].Err); f.Kind != kind || f.Code != "refused" {
			t.Errorf("the kind %d came back as %d (%s)", kind, f.Kind, f.Code)
		}
		a, err := s.try("POST", "/orders", strings.NewReader(tea))
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := statuses[a.status]; ok {
			t.Errorf("the kinds %d and %d are both answered with %d", other, kind, a.status)
		}
		statuses[a.status] = kind
	}
	if statuses[http.StatusInternalServerError] != fault.Internal || len(statuses) < 12 {
		t.Errorf("statuses of kinds: %v", statuses)
	}
}
