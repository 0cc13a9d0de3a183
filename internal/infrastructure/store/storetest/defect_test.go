package storetest_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/infrastructure/store/storetest"
)

// defectVariable names the defect to seed, in the process that runs the kit on it.
const defectVariable = "STORETEST_DEFECT"

// TestKitFindsDefects runs the kit on a store with one seeded defect, in a process of its own, and
// wants the concern that forbids the defect to fail. In that process it is the run of the kit.
func TestKitFindsDefects(t *testing.T) {
	t.Parallel()
	seeded := defects()
	if name := os.Getenv(defectVariable); name != "" {
		storetest.Run(t, harness(seeded[name]))
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range seeded {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := exec.CommandContext(t.Context(), program,
				"-rapid.nofailfile", "-rapid.shrinktime=1s", "-test.run", "^TestKitFindsDefects$/^"+d.concern+"$")
			run.Env = append(os.Environ(), defectVariable+"="+name)
			output, err := run.CombinedOutput()
			failed := strings.Contains(string(output), "--- FAIL: TestKitFindsDefects/"+d.concern)
			if err == nil || !failed || strings.Contains(string(output), "panic:") {
				t.Errorf("the kit does not find it: %v\n%s", err, output)
			}
		})
	}
}

// harness opens memory stores with a defect.
func harness(d defect) storetest.Harness {
	return storetest.Harness{New: func(*testing.T) storetest.Place {
		m := memory.New()
		return storetest.Place{
			Open: func(context.Context) (storetest.Store, error) {
				if d.forgets {
					return memory.New().Open(), nil
				}
				s := m.Open()
				b := d.seed(s)
				b.Store = s
				return b, nil
			},
			Cut: func() (heal func()) {
				m.SetAway(true)
				return func() { m.SetAway(false) }
			},
		}
	}}
}
