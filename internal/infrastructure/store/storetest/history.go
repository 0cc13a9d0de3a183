package storetest

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// register is what one order's history is checked as: a version and a content that each change
// replaces.
type register struct {
	version int
	content string
}

// written is the content that a change writes; "" stands for a read.
type written string

// observed is what a read found, or what a change found and the version it made of it.
type observed struct {
	found register
	made  int
}

// registers returns what may be observed: a read finds the newest, and a change makes the next version
// of the newest.
func registers() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return register{version: 1} },
		Step: func(state, input, output any) (bool, any) {
			now, _ := state.(register)
			in, _ := input.(written)
			out, _ := output.(observed)
			if in == "" {
				return out.found == now, now
			}
			return out.found == now && out.made == now.version+1, register{version: now.version + 1, content: string(in)}
		},
		DescribeOperation: func(input, output any) string {
			in, _ := input.(written)
			out, _ := output.(observed)
			if in == "" {
				return fmt.Sprintf("read -> %v", out.found)
			}
			return fmt.Sprintf("write %s over %v -> %d", in, out.found, out.made)
		},
	}
}

// testHistory checks that concurrent changes and reads of one order, whichever way they go, look as if
// they had been made one after the other, each at some moment between its call and its answer.
func testHistory(t *testing.T, h Harness) {
	const rounds, clients, calls = 6, 6, 40
	r := newRoom(t, h)
	stores := []Store{r.Store, r.second(t, h)}
	for round := range rounds {
		o := sample(t, round, func(d *order.Draft) { d.Metadata = nil })
		r.create(t, o, nobody())
		var mu sync.Mutex
		var history []porcupine.Operation
		begin := time.Now() // the checker needs real time, and nothing else does
		atOnce(clients, func(c int) {
			dice := rand.New(rand.NewPCG(uint64(round), uint64(c))) //nolint:gosec // repeatable on purpose
			for i := range calls {
				op := porcupine.Operation{ClientId: c, Call: int64(time.Since(begin))}
				input, output, err := call(t, stores[c%2], o.ID(), dice.IntN(4), fmt.Sprintf("%d.%d", c, i))
				if fault.KindOf(err) == fault.Unavailable && err != nil {
					continue // too many conflicts: nothing was written
				}
				if err != nil {
					t.Errorf("client %d: %v", c, err)
					return
				}
				op.Input, op.Output, op.Return = input, output, int64(time.Since(begin))
				mu.Lock()
				history = append(history, op)
				mu.Unlock()
			}
		})
		wantExplained(t, round, history)
	}
}

// wantExplained checks a history. The picture of one that fails is kept with go test -artifacts.
func wantExplained(t *testing.T, round int, history []porcupine.Operation) {
	t.Helper()
	result, info := porcupine.CheckOperationsVerbose(registers(), history, time.Minute)
	if result == porcupine.Ok {
		return
	}
	t.Errorf("round %d: no order of its %d calls explains what they saw: %s", round, len(history), result)
	picture := filepath.Join(t.ArtifactDir(), fmt.Sprintf("history-%d.html", round))
	if err := porcupine.VisualizePath(registers(), info, picture); err != nil {
		t.Errorf("draw the history: %v", err)
	}
}

// call reads the order, in one of two ways, or writes to it, in as many cases.
func call(t *testing.T, s Store, id order.ID, kind int, content string) (written, observed, error) {
	switch kind {
	case 0:
		o, err := s.Get(t.Context(), id)
		if err != nil {
			return "", observed{}, err
		}
		return "", observed{found: registerOf(o)}, nil
	case 1:
		c, err := s.Change(t.Context(), id, nobody(), base, func(*order.Order) error { return nil })
		if err != nil {
			return "", observed{}, err
		}
		return "", observed{found: registerOf(c.Order)}, nil
	default:
		var found register
		c, err := s.Change(t.Context(), id, nobody(), base, func(o *order.Order) error {
			found = registerOf(o)
			runtime.Gosched() // let others come in between
			return set("content", content, 0)(o)
		})
		if err != nil {
			return "", observed{}, err
		}
		return written(content), observed{found: found, made: c.Order.Version()}, nil
	}
}

func registerOf(o *order.Order) register {
	return register{version: o.Version(), content: o.View().Metadata["content"]}
}
