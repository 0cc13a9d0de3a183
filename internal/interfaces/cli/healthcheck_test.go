package cli_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"order-processing-service/internal/interfaces/cli"
)

func TestHealthcheck(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health/ready", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /busy/health/ready", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	mux.HandleFunc("GET /busy/health/live", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /stuck/health/live", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	mux.Handle("GET /moved/health/ready", http.RedirectHandler("/health/ready", http.StatusFound))
	mux.HandleFunc("GET /slow/health/ready", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	server := httptest.NewServer(mux)
	defer server.Close()

	tests := map[string]struct {
		args []string
		code int
		err  string
		out  string
	}{
		"ready":                {[]string{"--url", server.URL}, cli.ExitOK, "", "ready\n"},
		"ready, slash":         {[]string{"--url", server.URL + "/"}, cli.ExitOK, "", "ready\n"},
		"ready, from settings": {nil, cli.ExitOK, "", "ready\n"},
		"not ready":            {[]string{"--url", server.URL + "/busy"}, cli.ExitFailure, "answered 503 Service Unavailable", ""},
		"a redirect is no yes": {[]string{"--url", server.URL + "/moved"}, cli.ExitFailure, "answered 302 Found", ""},
		"too slow":             {[]string{"--url", server.URL + "/slow", "--timeout", "20ms"}, cli.ExitFailure, "no answer within 20ms", ""},
		"live, not ready":      {[]string{"--url", server.URL + "/busy", "--live"}, cli.ExitOK, "", "live\n"},
		"not live":             {[]string{"--url", server.URL + "/stuck", "--live"}, cli.ExitFailure, "not live: GET " + server.URL + "/stuck/health/live answered 500", ""},
		"nobody there":         {[]string{"--url", "http://127.0.0.1:1"}, cli.ExitFailure, "is the service running there?", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := commands()
			c.Target = func() (cli.Target, error) { return cli.Target{URL: server.URL}, nil }
			got := run(t, c, append([]string{"healthcheck"}, tt.args...)...)
			if got.code != tt.code || !strings.Contains(got.err, tt.err) || strings.Count(got.err, "\n") > 1 {
				t.Errorf("outcome %+v, want code %d and %q", got, tt.code, tt.err)
			}
			if got.out != tt.out {
				t.Errorf("output %q, want %q", got.out, tt.out)
			}
		})
	}
	t.Run("wrong settings", func(t *testing.T) {
		c := commands()
		c.Target = func() (cli.Target, error) { return cli.Target{}, cli.UsageError{Err: errors.New("PORT is 0")} }
		if got := run(t, c, "healthcheck"); got.code != cli.ExitUsage {
			t.Errorf("outcome %+v", got)
		}
	})
}
