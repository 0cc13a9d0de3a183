package edge_test

import (
	"net/http"
	"testing"

	"order-processing-service/test/program"
)

// TestSettingsTakeEffect has each of the settings about callers do what it says, in the program that is put together from them.
func TestSettingsTakeEffect(t *testing.T) {
	p := program.Start(t, t.TempDir(), settings{
		"RATE_LIMIT": "1/h:2", "TRUSTED_PROXIES": "127.0.0.0/8", "CORS_ALLOWED_ORIGINS": "https://shop.example",
	})
	c := client(t, nil)
	for i, tt := range []struct {
		client string
		status int
		state  string
	}{
		{"192.0.2.1", 200, `"default";r=1;t=3600`},
		{"192.0.2.1", 200, `"default";r=0;t=7200`},
		{"192.0.2.1", 429, `"default";r=0;t=3600`},
		{"192.0.2.2", 200, `"default";r=1;t=3600`},
	} {
		response, body := get(t, c, p.URL+"/orders", http.Header{
			"X-Forwarded-For": {tt.client}, "X-Forwarded-Proto": {"https"}, "Origin": {"https://shop.example"},
		})
		h := response.Header
		if response.StatusCode != tt.status || h.Get("Ratelimit") != tt.state || h.Get("Ratelimit-Policy") != `"default";q=2;w=7200` {
			t.Errorf("request %d: %s %v %s", i, response.Status, h, body)
		}
		if h.Get("Access-Control-Allow-Origin") != "https://shop.example" || h.Get("Strict-Transport-Security") == "" {
			t.Errorf("request %d: %v", i, h)
		}
		if tt.status == 429 && h.Get("Retry-After") != "3600" {
			t.Errorf("request %d: Retry-After %q", i, h.Get("Retry-After"))
		}
	}
	for range 5 {
		if response, _ := get(t, c, p.URL+"/health", nil); response.StatusCode != http.StatusOK {
			t.Errorf("a health check: %s", response.Status)
		}
	}
}
