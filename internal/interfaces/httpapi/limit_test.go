package httpapi_test

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/interfaces/httpapi"
	"order-processing-service/internal/interfaces/httpapi/clients"
	"order-processing-service/internal/interfaces/httpapi/ratelimit"
)

// moderated starts a service that lets each caller make two requests at once and one more each minute, by a clock that stands
// still until pass is called. The tests themselves are a trusted proxy.
func moderated(t *testing.T, adjust func(*httpapi.Config)) (s *service, pass func(time.Duration)) {
	t.Helper()
	now := time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC)
	s = start(t, func(c *httpapi.Config, _ *memory.Store) {
		c.RateLimit = ratelimit.New(ratelimit.Config{Requests: 1, Period: time.Minute, Burst: 2, Now: func() time.Time { return now }})
		c.TrustedProxies = clients.Proxies{netip.MustParsePrefix("127.0.0.0/8")}
		if adjust != nil {
			adjust(c)
		}
	})
	s.contract = newContract(t, "openapi.json", []byte(s.do("GET", "/openapi.json", "").body))
	return s, func(d time.Duration) { now = now.Add(d) }
}

func TestRateLimit(t *testing.T) {
	s, pass := moderated(t, func(c *httpapi.Config) { c.Identify = badge })
	ana, ben := as("ana", "orders:admin", ""), as("ben", "orders:read", "")
	const here, there, elsewhere = "X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 192.0.2.2", "X-Forwarded-For: 192.0.2.3"
	for i, c := range []struct {
		pass          time.Duration
		method, path  string
		headers       []string
		status        int
		state, after  string // RateLimit, Retry-After
		nothingIsSaid bool
	}{
		{0, "GET", "/orders", []string{ana, here}, 200, `"default";r=1;t=60`, "", false},
		{0, "GET", "/orders", []string{ana, there}, 200, `"default";r=0;t=120`, "", false},
		{0, "GET", "/orders", []string{ana, here}, 429, `"default";r=0;t=60`, "60", false},
		{0, "POST", "/orders", []string{ana, there}, 429, `"default";r=0;t=60`, "60", false}, // whatever, and wherever from
		{0, "GET", "/orders", []string{ben, here}, 200, `"default";r=1;t=60`, "", false},
		{0, "POST", "/orders", []string{ben, here}, 403, `"default";r=0;t=120`, "", false}, // what is refused counts
		{0, "GET", "/health/ready", []string{ana}, 200, "", "", true},
		{0, "GET", "/openapi.json", []string{ana}, 200, "", "", true},
		// Where nothing is served nobody is asked who calls: the address is counted.
		{0, "GET", "/nothing", []string{ana, elsewhere}, 404, `"default";r=1;t=60`, "", false},
		{0, "DELETE", "/orders", []string{ben, elsewhere}, 405, `"default";r=0;t=120`, "", false},
		{0, "GET", "/nothing", []string{elsewhere}, 429, `"default";r=0;t=60`, "60", false},
		{0, "PUT", "/health", []string{elsewhere}, 429, `"default";r=0;t=60`, "60", false},
		{59 * time.Second, "GET", "/orders", []string{ana}, 429, `"default";r=0;t=1`, "1", false},
		{time.Second, "GET", "/orders", []string{ana}, 200, `"default";r=0;t=120`, "", false},
		{time.Hour, "GET", "/orders", []string{ana}, 200, `"default";r=1;t=60`, "", false},
		// Who does not get in is counted by address: guessing ends soon.
		{0, "GET", "/orders", []string{here}, 401, `"default";r=1;t=60`, "", false},
		{0, "GET", "/orders", []string{"Authorization: Bearer guess", here}, 401, `"default";r=0;t=120`, "", false},
		{0, "GET", "/orders", []string{"Authorization: Bearer guess", here}, 429, `"default";r=0;t=60`, "60", false},
		{0, "GET", "/orders", []string{there}, 401, `"default";r=1;t=60`, "", false},
		{0, "GET", "/orders", []string{ben, here}, 200, `"default";r=1;t=60`, "", false}, // who does, is not
	} {
		pass(c.pass)
		body := ""
		if c.method == http.MethodPost {
			body = tea
		}
		a := s.do(c.method, c.path, body, c.headers...)
		h := a.header
		if a.status != c.status || h.Get("Ratelimit") != c.state || h.Get("Retry-After") != c.after {
			t.Errorf("request %d: %d, RateLimit %q, Retry-After %q: %s", i, a.status, h.Get("Ratelimit"), h.Get("Retry-After"), a.body)
		}
		policy := `"default";q=2;w=120`
		if c.nothingIsSaid {
			policy = ""
		}
		if h.Get("Ratelimit-Policy") != policy {
			t.Errorf("request %d: RateLimit-Policy %q", i, h.Get("Ratelimit-Policy"))
		}
		if a.status == 429 && decoded[wire.Problem](t, a).Code != "rate_limited" {
			t.Errorf("request %d: %s", i, a.body)
		}
	}
}

// TestRateLimitOfNobody counts by address when nobody is asked who calls. IPv6 clients have networks.
func TestRateLimitOfNobody(t *testing.T) {
	s, _ := moderated(t, nil)
	for i, c := range []struct {
		client string
		status int
	}{
		{"192.0.2.1", 200},
		{"192.0.2.1", 200},
		{"192.0.2.1", 429},
		{"198.51.100.9, 192.0.2.1", 429},
		{"192.0.2.2", 200},
		{"2001:db8:1:2::3", 200},
		{"2001:db8:1:2:ffff::4", 200},
		{"2001:db8:1:2::5", 429},
		{"2001:db8:1:3::3", 200},
	} {
		if a := s.do("GET", "/orders", "", "X-Forwarded-For: "+c.client); a.status != c.status {
			t.Errorf("request %d of %s: %d", i, c.client, a.status)
		}
	}
	if log := s.log.String(); strings.Count(log, `"client":"192.0.2.1"`) != 2 || strings.Contains(log, "192.0.2.2") {
		t.Errorf("the log does not tell who was turned away, or tells more: %s", log)
	}
}

// TestUntrustedHeaders has a client say that it is somebody else, each time another one.
func TestUntrustedHeaders(t *testing.T) {
	s, _ := moderated(t, func(c *httpapi.Config) { c.TrustedProxies = nil })
	for i, want := range []int{200, 200, 429} {
		client := "192.0.2." + itoa(i)
		a := s.do("GET", "/orders", "", "X-Forwarded-For: "+client, "Forwarded: for="+client, "X-Forwarded-Proto: https")
		if a.status != want || len(a.header["Strict-Transport-Security"]) > 0 {
			t.Errorf("request %d: %d %v", i, a.status, a.header)
		}
	}
}

// schemes tells with which scheme requests are measured.
type schemes struct {
	httpapi.Meter
	seen chan string
}

func (*schemes) Begun(string, string) {}
func (*schemes) Refused(string)       {}
func (s *schemes) Ended(_ context.Context, _, scheme, _ string, _ int, _ time.Duration) {
	s.seen <- scheme
}

// TestHTTPSByProxy has proxies say by which scheme their clients ask. What they make up becomes none.
func TestHTTPSByProxy(t *testing.T) {
	for _, trusted := range []bool{true, false} {
		meter := &schemes{seen: make(chan string, 1)}
		s, _ := moderated(t, func(c *httpapi.Config) {
			c.Meter = meter
			if !trusted {
				c.TrustedProxies = nil
			}
		})
		<-meter.seen // that of the document
		for header, secure := range map[string]bool{
			"X-Forwarded-Proto: https": true, "X-Forwarded-Proto: http": false, "X-Forwarded-Proto: http, https": true, "X-Forwarded-Proto: gopher": false,
			"Forwarded: for=192.0.2.1;proto=https": true, "X-Made-Up: https": false,
		} {
			scheme, hsts := "http", ""
			if trusted && secure {
				scheme, hsts = "https", "max-age=31536000"
			}
			got := s.do("GET", "/health", "", header).header.Get("Strict-Transport-Security")
			if seen := <-meter.seen; got != hsts || seen != scheme {
				t.Errorf("%s, trusted %t: Strict-Transport-Security %q, measured as %q", header, trusted, got, seen)
			}
		}
	}
}

// TestTooManyRequestsAreDescribed finds 429 in the document at every operation that counts, if there is a limit.
func TestTooManyRequestsAreDescribed(t *testing.T) {
	limited, _ := moderated(t, nil)
	for _, s := range []*service{limited, start(t, nil)} {
		var doc struct {
			Paths map[string]map[string]struct {
				Responses map[string]any `json:"responses"`
			} `json:"paths"`
		}
		if err := json.Unmarshal([]byte(s.do("GET", "/openapi.json", "").body), &doc); err != nil {
			t.Fatal(err)
		}
		var described []string
		for path, methods := range doc.Paths {
			for method, op := range methods {
				want := s == limited && !strings.HasPrefix(path, "/health")
				if _, has := op.Responses["429"]; has != want {
					t.Errorf("%s %s: 429 is described: %v", method, path, has)
				}
				described = append(described, path)
			}
		}
		if !slices.Contains(described, "/orders") {
			t.Errorf("paths %q", described)
		}
	}
}
