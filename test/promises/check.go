package promises

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

	"order-processing-service/test/mongodb"
	"order-processing-service/test/process"
)

// Order is what is looked at of an order.
type Order struct {
	ID        string            `json:"id"`
	Reference string            `json:"reference"`
	Status    string            `json:"status"`
	Version   int               `json:"version"`
	Metadata  map[string]string `json:"metadata"`
	Items     []map[string]any  `json:"items"`
	raw       []byte            // as it was sent
	events    []event           // its timeline
}

func (o Order) state() state {
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

func parseOrder(tb testing.TB, text []byte) Order {
	tb.Helper()
	var o Order
	if err := json.Unmarshal(text, &o); err != nil {
		tb.Errorf("%v in %s", err, text)
	}
	return o
}

// ask returns the body of an answer that must come.
func ask(tb testing.TB, c Client, path string) []byte {
	tb.Helper()
	a, ok := c.Ask(tb, process.Request{Method: http.MethodGet, Path: path})
	if !ok || a.Status != http.StatusOK {
		tb.Fatalf("GET %s: status %d\n%s", path, a.Status, a.Body)
	}
	return a.Body
}

// ReadOrders reads every order with its timeline, by id, and checks what orders say of themselves.
func ReadOrders(tb testing.TB, c Client) map[string]Order {
	tb.Helper()
	orders := make(map[string]Order)
	for row := range bytes.Lines(ask(tb, c, "/orders/export")) {
		o := parseOrder(tb, row)
		o.raw = row
		if _, twice := orders[o.ID]; twice {
			tb.Errorf("order %s is in the export twice", o.ID)
		}
		var timeline struct {
			Events []event `json:"events"`
		}
		if err := json.Unmarshal(ask(tb, c, "/orders/"+o.ID+"/timeline"), &timeline); err != nil {
			tb.Fatalf("the timeline of order %s: %v", o.ID, err)
		}
		o.events = timeline.Events
		version := 0
		for i, e := range o.events {
			if e.Sequence != i+1 || e.ID != fmt.Sprint(o.ID, "-", i+1) || e.Version < version || e.Version > version+1 {
				tb.Errorf("event %d of order %s, after version %d: %+v", i+1, o.ID, version, e)
			}
			version = e.Version
		}
		if version != o.Version {
			tb.Errorf("order %s has version %d and events up to version %d", o.ID, o.Version, version)
		}
		orders[o.ID] = o
	}
	return orders
}

// CheckPromises holds the orders against what was acknowledged: all of it is there, once, and besides it only what the
// test made otherwise, as it says.
func CheckPromises(tb testing.TB, books []*Book, orders map[string]Order, others int) {
	tb.Helper()
	promised := others
	for _, b := range books {
		for _, p := range b.orders {
			promised++
			o, ok := orders[p.id]
			if !ok {
				tb.Errorf("order %s (%s) was acknowledged and is lost", p.id, p.reference)
				continue
			}
			if o.Reference != p.reference || len(o.Items) != p.lines || o.state() != p.state {
				tb.Errorf("order %s (%s, %d lines) is to be %+v and is %s", p.id, p.reference, p.lines, p.state, o.raw)
			}
			if diff := cmp.Diff(p.statuses, statuses(tb, o)); diff != "" {
				tb.Errorf("statuses of order %s (-promised +told):\n%s", p.id, diff)
			}
		}
		for _, w := range b.doubtful {
			promised += came(tb, w, orders)
		}
	}
	if promised != len(orders) {
		tb.Errorf("there are %d orders, of which %d are known", len(orders), promised)
	}
}

// came returns how often an order is there that may have come after it was looked for: not more than once, and as wanted.
func came(tb testing.TB, w wanted, orders map[string]Order) (n int) {
	tb.Helper()
	for _, o := range orders {
		if o.Reference != w.reference {
			continue
		}
		n++
		if n > 1 || len(o.Items) != w.lines || o.state() != (state{version: 1, status: "PENDING"}) {
			tb.Errorf("the order %s (%d lines) came late, %d times: %s", w.reference, w.lines, n, o.raw)
		}
	}
	return n
}

// statuses returns every status that an order has had, as its events tell it.
func statuses(tb testing.TB, o Order) []string {
	tb.Helper()
	var all []string
	for _, e := range o.events {
		if e.Type != "OrderCreated" && e.Type != "OrderStatusChanged" {
			continue
		}
		var data struct {
			Status string `json:"status"`
		}
		if err := json.Unmarshal(e.Data, &data); err != nil {
			tb.Error(err)
		}
		all = append(all, data.Status)
	}
	return all
}

// Told is one telling of an event.
type Told struct {
	ID, Order string // of the event, and of what it is about
	Bus       string // that the teller names
	detail    string
}

// CheckCalm checks that no process has logged a warning, but of a first look.
func CheckCalm(tb testing.TB, output string) {
	tb.Helper()
	for _, l := range process.ReadLines(tb, output) {
		if (l.Level == "ERROR" || l.Level == "WARNING") && l.Message != mongodb.LateLook {
			tb.Errorf("%s", l.Text)
		}
	}
}

// ReadTold reads what was told by all processes that share an output, in the order in which they did.
func ReadTold(tb testing.TB, output string) []Told {
	tb.Helper()
	var all []Told
	for _, l := range process.ReadLines(tb, output) {
		for i, entry := range l.AWS.Entries {
			id, _, _ := strings.Cut(l.AWS.EventIDs[i], "-")
			all = append(all, Told{l.AWS.EventIDs[i], id, entry.EventBusName, entry.Detail})
		}
	}
	return all
}

// CheckEvents checks that every event was told, for the first time in its order's sequence, and always in the same
// words. It returns how many were told again.
func CheckEvents(tb testing.TB, all []Told, orders map[string]Order) (repeats int) {
	tb.Helper()
	next := make(map[string]int) // events of an order that were told
	for _, one := range all {
		id := one.Order
		o, ok := orders[id]
		index := slices.IndexFunc(o.events, func(e event) bool { return e.ID == one.ID })
		switch {
		case !ok || index < 0:
			tb.Errorf("event %s was told and is in no timeline", one.ID)
			continue
		case index < next[id]:
			repeats++
		case index == next[id]:
			next[id]++
		default:
			tb.Errorf("event %s was told after %d others of its order", one.ID, next[id])
		}
		if want := string(o.events[index].Data); want != one.detail {
			tb.Errorf("event %s (-timeline +told):\n%s", one.ID, cmp.Diff(want, one.detail))
		}
	}
	for id, o := range orders {
		if next[id] != len(o.events) {
			tb.Errorf("%d of %d events of order %s were told", next[id], len(o.events), id)
		}
	}
	return repeats
}

// CheckManifests checks that the newest manifest of every order in these data folders is the order as it is now.
func CheckManifests(tb testing.TB, orders map[string]Order, dirs ...string) {
	tb.Helper()
	newest := make(map[string]Order)
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "s3", "orders-manifest", "*.json"))
		if err != nil {
			tb.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				tb.Fatal(err)
			}
			o := parseOrder(tb, text)
			o.raw = text
			if id := strings.TrimSuffix(filepath.Base(file), ".json"); o.ID != id {
				tb.Errorf("the manifest of order %s is of order %s", id, o.ID)
			}
			if o.Version > newest[o.ID].Version {
				newest[o.ID] = o
			}
		}
	}
	for id, o := range orders {
		if !bytes.Equal(newest[id].raw, o.raw) {
			tb.Errorf("manifest of order %s:\n%s\nthe order:\n%s", id, newest[id].raw, o.raw)
		}
	}
	if len(newest) != len(orders) {
		tb.Errorf("%d manifests of %d orders", len(newest), len(orders))
	}
}
