package metrics_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"order-processing-service/internal/application/receiving"
	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/infrastructure/telemetry/metrics"
	"order-processing-service/internal/interfaces/cli"
	"order-processing-service/test/process"
)

// TestStatusOfTheProgram has `orders status` look at the program while orders are placed: every part that it shows must be there.
func TestStatusOfTheProgram(t *testing.T) {
	r := start(t, nil)
	r.do(t, 201, "POST", r.URL+"/orders", tea)
	done := make(chan struct{})
	var load sync.WaitGroup
	load.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				r.do(t, 201, "POST", r.URL+"/orders", tea)
			}
		}
	})
	rest := sync.OnceFunc(func() {
		close(done)
		load.Wait()
	})
	defer rest()
	status := func(args ...string) (code int, out, errs string) {
		var stdout, stderr bytes.Buffer
		code = cli.Run(t.Context(), bootstrap.Commands(), append([]string{"status"}, args...), cli.Streams{Out: &stdout, Err: &stderr})
		return code, stdout.String(), stderr.String()
	}
	var out string
	type report struct {
		Requests struct {
			PerSecond float64 `json:"per_second"`
		} `json:"requests"`
		Store struct {
			CommitsPerSecond float64 `json:"commits_per_second"`
		} `json:"store"`
		Orders     struct{ Placed struct{ Total float64 } } `json:"orders"`
		Deliveries []struct{ Subscriber string }            `json:"deliveries"`
	}
	var rates report
	process.Await(t, "a request and a commit in the second that is looked at", func() bool {
		code, text, errs := status("--url", r.admin, "--json")
		if code != cli.ExitOK || errs != "" {
			t.Fatalf("it ends with %d and %s", code, errs)
		}
		rates = report{} // what is not known leaves a member as it is
		if err := json.Unmarshal([]byte(text), &rates); err != nil {
			t.Fatal(err)
		}
		out = text
		return rates.Requests.PerSecond > 0 && rates.Store.CommitsPerSecond > 0
	})
	rest()
	var all map[string]any
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatal(err)
	}
	// A service without a queue of commands has none of them.
	missing := slices.Sorted(maps.Keys(nulls("", all)))
	missing = slices.DeleteFunc(missing, func(name string) bool { return name == ".commands" })
	if len(missing) > 0 {
		t.Errorf("not known: %v in\n%s", missing, out)
	}
	if rates.Orders.Placed.Total < 2 || len(rates.Deliveries) != 1 || rates.Deliveries[0].Subscriber != "events" {
		t.Errorf("%+v, of\n%s", rates, out)
	}

	if code, out, errs := status("--url", r.admin); code != cli.ExitOK || errs != "" || !strings.Contains(out, "READY") || !strings.Contains(out, "\nevents ") {
		t.Errorf("it ends with %d and %s%s", code, out, errs)
	}
	if code, out, errs := status("--url", r.URL); code != cli.ExitUsage || out != "" || !strings.Contains(errs, "give the admin address") {
		t.Errorf("at the API it ends with %d and %s%s", code, out, errs)
	}
}

// TestStatusKnowsCommands has `orders status` read what a worker measures: without the names and labels that it asks for there is no
// COMMANDS.
func TestStatusKnowsCommands(t *testing.T) {
	m, err := metrics.New(t.Context(), metrics.Config{Scraped: true})
	if err != nil {
		t.Fatal(err)
	}
	m.ObserveCommands(func() receiving.Counts {
		return receiving.Counts{Applied: 5, Early: 2, DeadLettered: map[string]int{"payment_amount_wrong": 1, "command_malformed": 2}}
	})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"status":"ok"}`)) })
	mux.HandleFunc("GET /health/ready", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"status":"ok"}`)) })
	server := httptest.NewServer(mux)
	defer server.Close()
	status := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		code := cli.Run(t.Context(), bootstrap.Commands(), append([]string{"status", "--url", server.URL}, args...), cli.Streams{Out: &out, Err: &errs})
		if code != cli.ExitOK || errs.Len() > 0 {
			t.Fatalf("it ends with %d and %s", code, &errs)
		}
		return out.String()
	}
	var report struct {
		Commands struct {
			Outcomes map[string]struct{ Total float64 }
		}
	}
	text := status("--json")
	if err := json.Unmarshal([]byte(text), &report); err != nil {
		t.Fatal(err)
	}
	for outcome, want := range map[string]float64{"applied": 5, "repeated": 0, "early": 2, "failed": 0, "dead_lettered": 3} {
		if got, ok := report.Commands.Outcomes[outcome]; !ok || got.Total != want {
			t.Errorf("%s: %v (there: %v), want %v, of\n%s", outcome, got.Total, ok, want, text)
		}
	}
	if text := status(); !strings.Contains(text, "\nCOMMANDS ") {
		t.Errorf("the screen has no commands:\n%s", text)
	}
}

// nulls are the members of a JSON value that are null, by their path.
func nulls(path string, value any) map[string]bool {
	found := make(map[string]bool)
	switch v := value.(type) {
	case nil:
		found[path] = true
	case map[string]any:
		for name, member := range v {
			maps.Copy(found, nulls(path+"."+name, member))
		}
	case []any:
		for _, element := range v {
			maps.Copy(found, nulls(path+"[]", element))
		}
	}
	return found
}
