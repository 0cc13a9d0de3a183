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
	mux.Handle("GET /moved/health/ready", http.RedirectHandler("/health/ready", http.StatusFound))
	mux.HandleFunc("GET /slow/health/ready", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	server := httptest.NewServer(mux)
	defer server.Close()
	gone := httptest.NewServer(nil)
	gone.Close()

	tests := map[string]struct {
		args []string
		code int
		err  string
	}{
		"ready":                {[]string{"--url", server.URL}, cli.ExitOK, ""},
		"ready, slash":         {[]string{"--url", server.URL + "/"}, cli.ExitOK, ""},
		"ready, from settings": {nil, cli.ExitOK, ""},
		"not ready":            {[]string{"--url", server.URL + "/busy"}, cli.ExitFailure, "answered 503 Service Unavailable"},
		"a redirect is no yes": {[]string{"--url", server.URL + "/moved"}, cli.ExitFailure, "answered 302 Found"},
		"too slow":             {[]string{"--url", server.URL + "/slow", "--timeout", "20ms"}, cli.ExitFailure, "no answer within 20ms"},
		"nobody there":         {[]string{"--url", gone.URL}, cli.ExitFailure, "is the service running there?"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := commands()
			c.Target = func() (cli.Target, error) { return cli.Target{URL: server.URL}, nil }
			got := run(t, c, append([]string{"healthcheck"}, tt.args...)...)
			if got.code != tt.code || !strings.Contains(got.err, tt.err) || strings.Count(got.err, "\n") > 1 {
				t.Errorf("outcome %+v, want code %d and %q", got, tt.code, tt.err)
			}
			if (got.out == "ready\n") != (tt.code == cli.ExitOK) {
				t.Errorf("output %q", got.out)
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
