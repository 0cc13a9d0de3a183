package edge_test

import (
	"fmt"
	"net/http"
	"strconv"
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
		left   int
		until  int // in seconds
	}{
		{"192.0.2.1", 200, 1, 3600},
		{"192.0.2.1", 200, 0, 7200},
		{"192.0.2.1", 429, 0, 3600},
		{"192.0.2.2", 200, 1, 3600},
	} {
		response, body := get(t, c, p.URL+"/orders", http.Header{
			"X-Forwarded-For": {tt.client}, "X-Forwarded-Proto": {"https"}, "Origin": {"https://shop.example"},
		})
		h := response.Header
		var left, until int
		if _, err := fmt.Sscanf(h.Get("Ratelimit"), `"default";r=%d;t=%d`, &left, &until); err != nil || left != tt.left || !nearly(until, tt.until) {
			t.Errorf("request %d: RateLimit %q", i, h.Get("Ratelimit"))
		}
		if response.StatusCode != tt.status || h.Get("Ratelimit-Policy") != `"default";q=2;w=7200` {
			t.Errorf("request %d: %s %v %s", i, response.Status, h, body)
		}
		if h.Get("Access-Control-Allow-Origin") != "https://shop.example" || h.Get("Strict-Transport-Security") == "" {
			t.Errorf("request %d: %v", i, h)
		}
		if after, err := strconv.Atoi(h.Get("Retry-After")); tt.status == 429 && (err != nil || !nearly(after, tt.until)) {
			t.Errorf("request %d: Retry-After %q", i, h.Get("Retry-After"))
		}
	}
	for range 5 {
		if response, _ := get(t, c, p.URL+"/health", nil); response.StatusCode != http.StatusOK {
			t.Errorf("a health check: %s", response.Status)
		}
	}
}

// nearly reports whether so many seconds are left of others, of which some have passed since.
func nearly(left, of int) bool { return left <= of && left > of-60 }
