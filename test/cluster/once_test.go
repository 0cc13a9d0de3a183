package cluster_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"

	"order-processing-service/test/process"
)

// TestOnce sends the same requests to every process at the same moment: each is done once, and everybody gets to see that.
func TestOnce(t *testing.T) {
	const keys, callers = 30, 2 * size
	c := newCluster(t)
	c.start(t)
	made := 0
	var mu sync.Mutex
	for key := range keys {
		post := process.Request{Method: http.MethodPost, Path: "/orders", Key: fmt.Sprint("k-", key), Body: fmt.Sprintf(
			`{"customer_id": "c-1", "reference": "r-%d", "items": [%s]}`, key, lines(1))}
		var ids []string
		fresh := 0
		atOnce(callers, func(i int) {
			a, id := c.ask(t, i, post, http.StatusCreated)
			mu.Lock()
			defer mu.Unlock()
			ids = append(ids, id)
			if !a.Replayed {
				fresh++
			}
		})
		if fresh != 1 || len(ids) != callers || strings.Count(strings.Join(ids, " "), ids[0]) != callers {
			t.Fatalf("%d of %d repeats made an order: %v", fresh, callers, ids)
		}
		made++

		pay := process.Request{Method: http.MethodPatch, Path: "/orders/" + ids[0], Key: "pay", Body: `{"status": "PAID"}`}
		fresh = 0
		atOnce(callers, func(i int) {
			a, _ := c.ask(t, i, pay, http.StatusOK)
			mu.Lock()
			defer mu.Unlock()
			if !a.Replayed {
				fresh++
			}
		})
		var o struct {
			Version  int   `json:"version"`
			Payments []any `json:"payments"`
		}
		if err := json.Unmarshal(c.nodes[0].Get(t, "/orders/"+ids[0]), &o); err != nil || fresh != 1 || o.Version != 2 || len(o.Payments) != 1 {
			t.Fatalf("%d of %d repeats paid; the order is %+v, %v", fresh, callers, o, err)
		}
	}
	made += c.sameBatch(t)
	c.check(t, nil, made, c.nodes...)
}

// sameBatch sends one batch to every process at the same moment, and returns how many orders it has.
func (c *cluster) sameBatch(t *testing.T) int {
	t.Helper()
	const orders = 40
	all := make([]string, orders)
	for i := range all {
		all[i] = fmt.Sprintf(`{"idempotency_key": "b-%d", "customer_id": "c-1", "items": [%s]}`, i, lines(1))
	}
	body := `{"orders": [` + strings.Join(all, ", ") + `]}`
	made := make([]map[string]bool, size) // by process: ids, and whether it made them
	atOnce(size, func(i int) {
		a, _ := c.ask(t, i, process.Request{Method: http.MethodPost, Path: "/orders/batch", Body: body}, http.StatusOK)
		var answer struct {
			Results []struct {
				Status   int  `json:"status"`
				Replayed bool `json:"replayed"`
				Order    struct {
					ID string `json:"id"`
				} `json:"order"`
			} `json:"results"`
		}
		if err := json.Unmarshal(a.Body, &answer); err != nil {
			t.Error(err)
		}
		made[i] = make(map[string]bool)
		for _, r := range answer.Results {
			if r.Status != http.StatusCreated {
				t.Errorf("status %d in %s", r.Status, a.Body)
			}
			made[i][r.Order.ID] = !r.Replayed
		}
	})
	for id := range made[0] {
		makers := 0
		for i := range made {
			fresh, there := made[i][id]
			if !there {
				t.Errorf("process %d does not answer with order %s", i, id)
			}
			if fresh {
				makers++
			}
		}
		if makers != 1 {
			t.Errorf("order %s was made by %d processes", id, makers)
		}
	}
	return orders
}

// ask asks the i-th process, in turn, and returns the answer, which must have the status, and the id in it.
func (c *cluster) ask(t *testing.T, i int, q process.Request, status int) (process.Answer, string) {
	t.Helper()
	a, ok := c.nodes[i%len(c.nodes)].Ask(t, q)
	if !ok || a.Status != status {
		t.Errorf("%s %s: status %d\n%s", q.Method, q.Path, a.Status, a.Body)
		return a, ""
	}
	var o struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(a.Body, &o); err != nil {
		t.Error(err)
	}
	return a, o.ID
}

// TestClaimsAreShared leaves orders that nobody was told of to three processes: everybody tells some of them, and nobody
// what another tells.
func TestClaimsAreShared(t *testing.T) {
	const orders = 3_000 // many times what one claim takes
	c := newCluster(t)
	// A lease that ended while one call of MongoDB took its 10 seconds would have an event told again. One that nobody knows of, as the
	// claim was cut off, ends before AwaitTold gives up.
	c.settings["DELIVERY_LEASE"] = "20s"
	c.start(t)
	var table strings.Builder
	table.WriteString("reference,customer_id,sku,quantity,unit_price\n")
	for i := range orders {
		fmt.Fprintf(&table, "r-%d,c-1,TEA,1,12.50\n", i)
	}
	file := filepath.Join(c.dir, "orders.csv")
	if err := os.WriteFile(file, []byte(table.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	// An import tells nobody itself.
	c.run(t, "import", file)
	c.nodes[0].AwaitTold(t)
	shares, repeats := c.check(t, nil, orders, c.nodes...)
	c.wantShared(t, shares)
	if repeats > 0 {
		t.Errorf("%d events were told by two", repeats)
	}
	t.Logf("who told how many of %d events: %v", orders, shares)
}

// run runs a command on the cluster's database, beside the processes.
func (c *cluster) run(t *testing.T, arguments ...string) {
	t.Helper()
	settings := map[string]string{"MONGO_URI": c.server.URI}
	maps.Copy(settings, c.settings)
	process.Start(t, process.Config{Arguments: arguments, Dir: c.dir, Output: c.dir + "/" + arguments[0], Settings: settings}).Wait(t)
}
