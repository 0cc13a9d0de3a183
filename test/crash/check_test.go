package crash_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

// order is what is looked at of an order.
type order struct {
	ID        string            `json:"id"`
	Reference string            `json:"reference"`
	Status    string            `json:"status"`
	Version   int               `json:"version"`
	Metadata  map[string]string `json:"metadata"`
	Items     []map[string]any  `json:"items"`
	raw       []byte            // as it was sent
	events    []event           // its timeline
}

func (o order) state() state {
	return state{version: o.Version, status: o.Status, note: o.Metadata["note"]}
}

// event is what is looked at of an event.
type event struct {
	ID       string         `json:"id"`
	Type     string         `json:"type"`
	Sequence int            `json:"sequence"`
	Version  int            `json:"version"`
	Data     jsontext.Value `json:"data"`
}

func parseOrder(t *testing.T, text []byte) order {
	t.Helper()
	var o order
	if err := json.Unmarshal(text, &o); err != nil {
		t.Errorf("%v in %s", err, text)
	}
	return o
}

// readOrders reads every order with its timeline, and checks that orders say of themselves.
func readOrders(t *testing.T, c *child) map[string]order {
	t.Helper()
	orders := make(map[string]order)
	for row := range bytes.Lines(c.get(t, "/orders/export")) {
		o := parseOrder(t, row)
		o.raw = row
		if _, twice := orders[o.ID]; twice {
			t.Errorf("order %s is in the export twice", o.ID)
		}
		a, ok := c.ask(t, http.MethodGet, "/orders/"+o.ID+"/timeline", "", "")
		var timeline struct {
			Events []event `json:"events"`
		}
		if err := json.Unmarshal(a.body, &timeline); err != nil || !ok || a.status != http.StatusOK {
			t.Fatalf("the timeline of order %s: status %d, %v", o.ID, a.status, err)
		}
		o.events = timeline.Events
		version := 0
		for i, e := range o.events {
			if e.Sequence != i+1 || e.ID != fmt.Sprint(o.ID, "-", i+1) || e.Version < version || e.Version > version+1 {
				t.Errorf("event %d of order %s, after version %d: %+v", i+1, o.ID, version, e)
			}
			version = e.Version
		}
		if version != o.Version {
			t.Errorf("order %s has version %d and events up to version %d", o.ID, o.Version, version)
		}
		orders[o.ID] = o
	}
	return orders
}

// checkPromises holds the orders against what was acknowledged: all of it is there, once, and nothing else.
func checkPromises(t *testing.T, books []*book, orders map[string]order) {
	t.Helper()
	promised := 0
	for _, b := range books {
		for _, p := range b.orders {
			promised++
			o, ok := orders[p.id]
			if !ok {
				t.Errorf("order %s (%s) was acknowledged and is lost", p.id, p.reference)
				continue
			}
			if o.Reference != p.reference || len(o.Items) != p.lines || o.state() != p.state {
				t.Errorf("order %s (%s, %d lines) is to be %+v and is %s", p.id, p.reference, p.lines, p.state, o.raw)
			}
			if diff := cmp.Diff(p.statuses, statuses(t, o)); diff != "" {
				t.Errorf("statuses of order %s (-promised +told):\n%s", p.id, diff)
			}
		}
	}
	if promised != len(orders) {
		t.Errorf("there are %d orders, of which %d are known", len(orders), promised)
	}
}

// statuses returns every status that an order has had, as its events tell it.
func statuses(t *testing.T, o order) []string {
	t.Helper()
	var all []string
	for _, e := range o.events {
		if e.Type != "OrderCreated" && e.Type != "OrderStatusChanged" {
			continue
		}
		var data struct {
			Status string `json:"status"`
		}
		if err := json.Unmarshal(e.Data, &data); err != nil {
			t.Error(err)
		}
		all = append(all, data.Status)
	}
	return all
}

// told is one telling of an event.
type told struct{ id, detail string }

// readTold reads what all children told, in the order in which they did.
func readTold(t *testing.T, dir string) []told {
	t.Helper()
	outputs, err := filepath.Glob(filepath.Join(dir, "output-*")) // sorted
	if err != nil {
		t.Fatal(err)
	}
	var all []told
	for _, output := range outputs {
		for _, l := range readLines(t, output) {
			if l.Level == "ERROR" || l.Level == "WARNING" {
				t.Errorf("%s: %s: %s", filepath.Base(output), l.Level, l.Message)
			}
			for i, entry := range l.AWS.Entries {
				all = append(all, told{l.AWS.EventIDs[i], entry.Detail})
			}
		}
	}
	return all
}

// checkEvents checks that every event was told, for the first time in its order's sequence, and always in the same
// words. It returns how many were told again.
func checkEvents(t *testing.T, all []told, orders map[string]order) (repeats int) {
	t.Helper()
	next := make(map[string]int) // events of an order that were told
	for _, one := range all {
		id, sequence, _ := strings.Cut(one.id, "-")
		o, ok := orders[id]
		index := slices.IndexFunc(o.events, func(e event) bool { return e.ID == one.id })
		switch {
		case !ok || index < 0:
			t.Errorf("event %s was told and is in no timeline", one.id)
			continue
		case index < next[id]:
			repeats++
		case index == next[id]:
			next[id]++
		default:
			t.Errorf("event %s of order %s was told after %d others", sequence, id, next[id])
		}
		if want := string(o.events[index].Data); want != one.detail {
			t.Errorf("event %s (-timeline +told):\n%s", one.id, cmp.Diff(want, one.detail))
		}
	}
	for id, o := range orders {
		if next[id] != len(o.events) {
			t.Errorf("%d of %d events of order %s were told", next[id], len(o.events), id)
		}
	}
	return repeats
}

// checkManifests checks that every manifest is the order as it is now.
func checkManifests(t *testing.T, dir string, orders map[string]order) {
	t.Helper()
	bucket := filepath.Join(dir, "data", "s3", "orders-manifest")
	for id, o := range orders {
		manifest, err := os.ReadFile(filepath.Join(bucket, id+".json"))
		if err != nil || !bytes.Equal(manifest, o.raw) {
			t.Errorf("manifest of order %s (%v):\n%s\nthe order:\n%s", id, err, manifest, o.raw)
		}
	}
	if files, err := os.ReadDir(bucket); err != nil || len(files) != len(orders) {
		t.Errorf("%d manifests of %d orders (%v)", len(files), len(orders), err)
	}
}
