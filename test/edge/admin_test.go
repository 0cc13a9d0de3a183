package edge_test

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"order-processing-service/test/program"
)

func TestAdmin(t *testing.T) {
	p := program.Start(t, t.TempDir(), settings{"RATE_LIMIT": "2/h", "MAX_CONCURRENT_REQUESTS": "1"})
	admin := await(t, p, "admin endpoints").URL
	if !strings.HasPrefix(admin, "http://127.0.0.1:") || admin == p.URL {
		t.Fatalf("the admin address is %s", admin)
	}
	c := client(t, nil)
	for _, tt := range []struct {
		url    string
		header http.Header
		status int
		has    string
	}{
		{admin + "/health", nil, 200, `"status":"ok"`},
		{admin + "/health/ready", nil, 200, `"status":"ok"`},
		{admin + "/health/dead", nil, 404, ""},
		{admin + "/debug/pprof/", nil, 200, "heap"},
		{admin + "/debug/pprof/goroutine?debug=1", nil, 200, "goroutine profile"},
		{admin + "/debug/pprof/cmdline", nil, 200, ""},
		{strings.Replace(admin, "127.0.0.1", "localhost", 1) + "/debug/pprof/cmdline", nil, 200, ""},
		{admin + "/debug/pprof/heap", http.Header{"Origin": {"https://evil.example"}}, 403, ""},
		// A page's image has no Origin. Whoever types the address, or follows a link of the index, may see it.
		{admin + "/debug/pprof/heap", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403, ""},
		{admin + "/debug/pprof/heap", http.Header{"Sec-Fetch-Site": {"same-site"}}, 403, ""}, // another port of this machine
		{admin + "/debug/pprof/heap", http.Header{"Sec-Fetch-Site": {"none", "cross-site"}}, 403, ""},
		{admin + "/debug/pprof/", http.Header{"Sec-Fetch-Site": {"none"}}, 200, "heap"},
		{admin + "/debug/pprof/cmdline", http.Header{"Sec-Fetch-Site": {"same-origin"}}, 200, ""},
		{admin + "/orders", nil, 404, ""},
		{admin + "/", nil, 404, ""},
		{p.URL + "/debug/pprof/", nil, 404, "route_not_found"},
		{p.URL + "/metrics", nil, 404, "route_not_found"},
	} {
		response, body := get(t, c, tt.url, tt.header)
		if response.StatusCode != tt.status || !strings.Contains(body, tt.has) || response.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %s %.100s", tt.url, response.Status, body)
		}
	}
	// A page could have its own name looked up to here.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, admin+"/debug/pprof/heap", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "rebound.example:80"
	response, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("under another name: %s", response.Status)
	}
}

func TestAdminOff(t *testing.T) {
	p := program.Start(t, t.TempDir(), settings{"ADMIN_ADDR": "off"})
	if strings.Contains(p.Log.String(), "admin endpoints") {
		t.Errorf("there are some: %s", p.Log)
	}
}

// TestAdminOnEveryAddress warns, and gives profiles to nobody from elsewhere.
func TestAdminOnEveryAddress(t *testing.T) {
	p := program.Start(t, t.TempDir(), settings{"ADMIN_ADDR": "0.0.0.0:0"})
	await(t, p, "admin endpoints are open to whoever reaches ADMIN_ADDR; keep it from the public")
	_, port, err := net.SplitHostPort(strings.TrimPrefix(await(t, p, "admin endpoints").URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	outside := outsideAddress(t)
	for path, want := range map[string]int{"/health": 200, "/debug/pprof/heap": 403, "/debug/pprof/": 403} {
		response, _ := get(t, client(t, nil), "http://"+net.JoinHostPort(outside, port)+path, nil)
		if response.StatusCode != want {
			t.Errorf("%s from %s: %s", path, outside, response.Status)
		}
	}
}

// outsideAddress returns an address of this machine that is not loopback: who asks there comes from there.
func outsideAddress(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if network, ok := a.(*net.IPNet); ok && network.IP.To4() != nil && network.IP.IsGlobalUnicast() {
			return network.IP.String()
		}
	}
	t.Skip("this machine has loopback addresses only")
	return ""
}
