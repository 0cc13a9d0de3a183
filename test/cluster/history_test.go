package cluster_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/go-json-experiment/json"

	"order-processing-service/test/process"
	"order-processing-service/test/promises"
)

// register is what one order's history is checked as: a version, and a note that each change replaces.
type register struct {
	version int
	note    string
}

// input is a call: a read, when note is "", or a change of the note, provided that the order has the version, if one is
// given.
type input struct {
	note    string
	version int
}

// output is what came of a call. What was found is told by a read only.
type output struct {
	status int // 0 when nobody knows
	found  register
}

// registers returns what may be observed: a read finds the newest; a change makes the next version of the newest, or is
// refused because it was meant for another. A change without an answer may have been made or not: as its call never ended, it
// may always be taken to come after everything else.
func registers() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return register{version: 1} },
		Step: func(state, in, out any) (bool, any) {
			now, _ := state.(register)
			asked, _ := in.(input)
			got, _ := out.(output)
			next := register{version: now.version + 1, note: asked.note}
			meant := asked.version == 0 || asked.version == now.version
			switch {
			case asked.note == "":
				return got.found == now, now
			case got.status == http.StatusPreconditionFailed:
				return !meant, now
			case got.status == 0 && !meant:
				return true, now
			case got.status == 0:
				return true, next
			default:
				return meant && got.found == next, next
			}
		},
		DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v -> %+v", in, out) },
	}
}

// history is what was seen of one order by many who read and changed it.
type history struct {
	order string
	begin time.Time

	mu    sync.Mutex
	calls []porcupine.Operation
}

// newHistory places an order to be changed.
func (c *cluster) newHistory(t *testing.T) *history {
	t.Helper()
	_, id := c.ask(t, 0, process.Request{
		Method: http.MethodPost, Path: "/orders", Body: `{"customer_id": "c-1", "items": [` + lines(1) + `]}`,
	}, http.StatusCreated)
	return &history{order: id, begin: time.Now()}
}

// use has a caller read and change the order by way of a client, as long as there are answers and more is wanted.
func (h *history) use(t *testing.T, caller int, n promises.Client, more func(calls int) bool) {
	t.Helper()
	version := 1 // that was seen last
	for i := 0; more(i); i++ {
		q := process.Request{Method: http.MethodGet, Path: "/orders/" + h.order}
		var asked input
		if dice := rand.IntN(4); dice > 0 { //nolint:gosec // any will do
			asked.note = fmt.Sprintf("%d.%d", caller, i)
			q.Method, q.Body = http.MethodPatch, fmt.Sprintf(`{"metadata": {"note": %q}}`, asked.note)
			if dice == 1 {
				asked.version, q.IfMatch = version, fmt.Sprintf("%q", strconv.Itoa(version))
			}
		}
		call := int64(time.Since(h.begin))
		a, ok := n.Ask(t, q)
		op := porcupine.Operation{ClientId: caller, Input: asked, Call: call, Output: output{}, Return: math.MaxInt64}
		if ok {
			op.Return = int64(time.Since(h.begin))
			var o struct {
				Version  int               `json:"version"`
				Metadata map[string]string `json:"metadata"`
			}
			switch a.Status {
			case http.StatusOK:
				if err := json.Unmarshal(a.Body, &o); err != nil {
					t.Errorf("%v in %s", err, a.Body)
				}
				version = o.Version
			case http.StatusPreconditionFailed:
				version++ // at least
			case http.StatusServiceUnavailable: // it may be done all the same
				op.Return = math.MaxInt64
			default:
				t.Errorf("%s %s: status %d\n%s", q.Method, q.Path, a.Status, a.Body)
				return
			}
			if a.Status != http.StatusServiceUnavailable {
				op.Output = output{a.Status, register{o.Version, o.Metadata["note"]}}
			}
		}
		if op.Return != math.MaxInt64 || asked.note != "" { // a read without an answer says nothing
			h.mu.Lock()
			h.calls = append(h.calls, op)
			h.mu.Unlock()
		}
		if !ok {
			return
		}
	}
}

// check looks for an order of the calls, one after the other, each at some moment between its begin and its end, that
// explains what everybody saw. The picture of a history that has none is kept with go test -artifacts.
func (h *history) check(t *testing.T) {
	t.Helper()
	result, info := porcupine.CheckOperationsVerbose(registers(), h.calls, 5*time.Minute)
	if result == porcupine.Ok {
		return
	}
	t.Errorf("no order of the %d calls of %s explains what they saw: %s", len(h.calls), h.order, result)
	if err := porcupine.VisualizePath(registers(), info, filepath.Join(t.ArtifactDir(), h.order+".html")); err != nil {
		t.Errorf("draw the history: %v", err)
	}
}

// TestHistory has many read and change the same orders by way of three processes.
func TestHistory(t *testing.T) {
	const orders, callers, calls = 4, 2 * size, 30
	c := newCluster(t)
	c.start(t)
	for range orders {
		h := c.newHistory(t)
		atOnce(callers, func(i int) { h.use(t, i, c.nodes[i%size], func(n int) bool { return n < calls }) })
		if t.Failed() {
			return
		}
		h.check(t)
	}
	c.check(t, nil, orders, c.nodes...)
}
