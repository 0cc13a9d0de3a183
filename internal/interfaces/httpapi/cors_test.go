package httpapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/interfaces/httpapi"
)

// shared starts a service that pages of these origins may call, and that asks who calls.
func shared(t *testing.T, origins ...string) *service {
	t.Helper()
	return start(t, func(c *httpapi.Config, _ *memory.Store) {
		c.AllowedOrigins = origins
		c.Identify = badge
	})
}

func TestCrossOriginAnswers(t *testing.T) {
	const shop = "https://shop.example"
	ana := as("ana", "orders:admin", "")
	for name, tt := range map[string]struct {
		allowed []string
		headers []string
		origin  string // in the answer
		vary    string
	}{
		"off":                  {nil, []string{"Origin: " + shop, ana}, "", ""},
		"allowed":              {[]string{"https://a.example", shop}, []string{"Origin: " + shop, ana}, shop, "Origin"},
		"refused, too":         {[]string{shop}, []string{"Origin: " + shop}, shop, "Origin"}, // so that the page sees why
		"another origin":       {[]string{shop}, []string{"Origin: https://evil.example", ana}, "", "Origin"},
		"a longer one":         {[]string{shop}, []string{"Origin: " + shop + ".evil.example", ana}, "", "Origin"},
		"another scheme":       {[]string{shop}, []string{"Origin: http://shop.example", ana}, "", "Origin"},
		"another port":         {[]string{shop}, []string{"Origin: " + shop + ":8443", ana}, "", "Origin"},
		"a page without one":   {[]string{shop}, []string{"Origin: null", ana}, "", "Origin"},
		"two origins":          {[]string{shop}, []string{"Origin: " + shop, "Origin: " + shop, ana}, "", "Origin"},
		"no page":              {[]string{shop}, []string{ana}, "", "Origin"},
		"all, even without it": {[]string{"*"}, []string{"Origin: null", ana}, "*", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := shared(t, tt.allowed...).do("GET", "/orders", "", tt.headers...)
			h := a.header
			if got := h.Get("Access-Control-Allow-Origin"); got != tt.origin || strings.Join(h["Vary"], ", ") != tt.vary {
				t.Errorf("allowed is %q, Vary %q", got, h["Vary"])
			}
			exposed := strings.Split(h.Get("Access-Control-Expose-Headers"), ", ")
			for _, want := range []string{
				"Allow", "ETag", "Location", "Link", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-ID", "Idempotent-Replayed",
			} {
				if slices.Contains(exposed, want) != (tt.origin != "") {
					t.Errorf("exposed are %q", exposed)
				}
			}
			if len(h["Access-Control-Allow-Credentials"]) > 0 {
				t.Error("credentials are asked for")
			}
		})
	}
}

func TestPreflight(t *testing.T) {
	const shop = "https://shop.example"
	asks := []string{"Origin: " + shop, "Access-Control-Request-Method: PATCH", "Access-Control-Request-Headers: authorization,if-match"}
	s := shared(t, shop)
	a, err := s.try("OPTIONS", nowhere, nil, asks...)
	if err != nil {
		t.Fatal(err)
	}
	if a.status != http.StatusNoContent || a.body != "" || a.header.Get("Access-Control-Allow-Methods") != "GET, HEAD, PATCH" ||
		a.header.Get("Access-Control-Allow-Origin") != shop || a.header.Get("Access-Control-Max-Age") != "600" {
		t.Errorf("%d %v %q", a.status, a.header, a.body)
	}
	headers := strings.Split(strings.ToLower(a.header.Get("Access-Control-Allow-Headers")), ", ")
	for _, want := range []string{
		"authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "x-request-id", "x-api-key", "traceparent",
	} {
		if !slices.Contains(headers, want) {
			t.Errorf("%s may not be sent", want)
		}
	}
	if vary := strings.Join(a.header["Vary"], ", "); vary != "Origin, Access-Control-Request-Method, Access-Control-Request-Headers" {
		t.Errorf("Vary %q", vary)
	}
	for name, tt := range map[string]struct {
		s       *service
		path    string
		headers []string
		status  int
	}{
		"from elsewhere": {s, nowhere, append([]string{"Origin: https://evil.example"}, asks[1:]...), 405},
		"nowhere":        {s, "/nothing", asks, 404},
		"no preflight":   {s, nowhere, asks[:1], 405},
		"off":            {start(t, nil), nowhere, asks, 405},
	} {
		a, err := tt.s.try("OPTIONS", tt.path, nil, tt.headers...)
		if err != nil || a.status != tt.status || len(a.header["Access-Control-Allow-Methods"]) > 0 {
			t.Errorf("%s: %d %v %v", name, a.status, a.header, err)
		}
	}
	// What varies for two reasons says both.
	a = s.do("GET", "/orders/export", "", "Origin: "+shop, as("ana", "orders:admin", ""))
	if vary := strings.Join(a.header["Vary"], ", "); vary != "Origin, Accept" {
		t.Errorf("an export's Vary is %q", vary)
	}
}

// TestSecurityHeaders looks at answers of every kind.
func TestSecurityHeaders(t *testing.T) {
	s := shared(t)
	for _, c := range []struct {
		method, path string
		headers      []string
	}{
		{"GET", "/orders", []string{as("ana", "orders:read", "")}},
		{"GET", "/orders/export", []string{as("ana", "orders:admin", "")}},
		{"GET", "/orders", nil},
		{"GET", "/nothing", nil},
		{"PUT", "/orders", nil},
		{"GET", "/", nil},
		{"GET", "/health", nil},
		{"GET", "/openapi.json", nil},
		{"GET", "/docs", nil},
		{"GET", "/docs/swagger-ui.css", nil},
		{"GET", "/docs/nothing", nil},
	} {
		a, err := s.try(c.method, c.path, nil, c.headers...)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
			"Content-Security-Policy": "default-src 'none'", "Strict-Transport-Security": "",
		} {
			if got := a.header[name]; want == "" && len(got) > 0 || want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], want)) {
				t.Errorf("%s %s: %s is %q", c.method, c.path, name, got)
			}
		}
		if policy := a.header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s %s may be framed: %q", c.method, c.path, policy)
		}
	}
}
