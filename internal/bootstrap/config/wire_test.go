package config_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"order-processing-service/internal/bootstrap/config"
)

func TestWireSettings(t *testing.T) {
	tests := []struct {
		settings string // with spaces between them
		right    bool
	}{
		{"TLS_CERT_FILE=c.pem TLS_KEY_FILE=k.pem", true},
		{"TLS_CERT_FILE=c.pem TLS_KEY_FILE=k.pem TLS_CLIENT_CA_FILE=ca.pem", true},
		{"TLS_CERT_FILE=c.pem", false},
		{"TLS_KEY_FILE=k.pem", false},
		{"TLS_CLIENT_CA_FILE=ca.pem", false},
		{"TRUSTED_PROXIES=10.0.0.0/8,192.0.2.7,2001:db8::/32,::1", true},
		{"TRUSTED_PROXIES=10.0.0.0/33", false},
		{"TRUSTED_PROXIES=proxy.example", false},
		{"TRUSTED_PROXIES=10.0.0.1,", false},
		{"TRUSTED_PROXIES=fe80::1%eth0", false},
		{"TRUSTED_PROXIES=::ffff:10.0.0.0/104", false},
		{"TRUSTED_PROXIES=" + strings.Repeat("10.0.0.1,", 100) + "10.0.0.1", false},
		{"CORS_ALLOWED_ORIGINS=*", true},
		{"CORS_ALLOWED_ORIGINS=https://shop.example,http://localhost:3000,http://[::1]:80", false}, // the port goes without saying
		{"CORS_ALLOWED_ORIGINS=https://shop.example,http://localhost:3000,http://[::1]:8080", true},
		{"CORS_ALLOWED_ORIGINS=https://shop.example,*", false},
		{"CORS_ALLOWED_ORIGINS=https://shop.example/", false},
		{"CORS_ALLOWED_ORIGINS=https://Shop.example", false},
		{"CORS_ALLOWED_ORIGINS=https://*.example", false},
		{"CORS_ALLOWED_ORIGINS=https://shop.example:443", false},
		{"CORS_ALLOWED_ORIGINS=https://shop.example:", false},
		{"CORS_ALLOWED_ORIGINS=https://shop.example:70000", false},
		{"CORS_ALLOWED_ORIGINS=https://user@shop.example", false},
		{"CORS_ALLOWED_ORIGINS=shop.example", false},
		{"CORS_ALLOWED_ORIGINS=null", false},
		{"CORS_ALLOWED_ORIGINS=file://x", false},
		{"RATE_LIMIT=100/s", true},
		{"RATE_LIMIT=600/m:50", true},
		{"RATE_LIMIT=1/h:1000000", true},
		{"RATE_LIMIT=0/s", false},
		{"RATE_LIMIT=100", false},
		{"RATE_LIMIT=100/d", false},
		{"RATE_LIMIT=100/s:", false},
		{"RATE_LIMIT=100/s:0", false},
		{"RATE_LIMIT=-1/s", false},
		{"RATE_LIMIT=+1/s", false},
		{"RATE_LIMIT=1000001/s", false},
		{"ADMIN_ADDR=off", true},
		{"ADMIN_ADDR=[::1]:0", true},
		{"ADMIN_ADDR=0.0.0.0:9464", true},
		{"ADMIN_ADDR=9464", false},
		{"ADMIN_ADDR=:9464", false},
		{"ADMIN_ADDR=localhost:9464", false},
		{"MAX_CONNECTIONS=1", true},
		{"MAX_CONNECTIONS=0", false},
		{"MAX_CONNECTIONS_PER_ADDRESS=0", true},
	}
	for _, tt := range tests {
		_, err := config.Load(config.Source{Environ: strings.Fields(tt.settings)})
		if (err == nil) != tt.right || err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%.60s: %v", tt.settings, err)
		}
	}
}

func TestWireValues(t *testing.T) {
	c, err := config.Load(config.Source{Environ: []string{
		"TRUSTED_PROXIES=10.1.2.3/8,192.0.2.7", "CORS_ALLOWED_ORIGINS=https://a.example,https://b.example", "RATE_LIMIT=600/m:50",
		"TLS_CERT_FILE=c.pem", "TLS_KEY_FILE=k.pem",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32")}; !slices.Equal(c.Proxies(), want) {
		t.Errorf("proxies %v", c.Proxies())
	}
	if !slices.Equal(c.Origins(), []string{"https://a.example", "https://b.example"}) {
		t.Errorf("origins %q", c.Origins())
	}
	if want := (config.RateLimit{Requests: 600, Period: time.Minute, Burst: 50}); c.RateLimit != want {
		t.Errorf("rate limit %+v", c.RateLimit)
	}
	if got := c.URL(8443); got != "https://127.0.0.1:8443" {
		t.Errorf("URL %s", got)
	}
	if address, byDefault := c.AdminAddress(); address != "127.0.0.1:9464" || !byDefault {
		t.Errorf("admin at %s, %v", address, byDefault)
	}
}

func TestNoAdmin(t *testing.T) {
	for setting, want := range map[string]string{"ADMIN_ADDR=off": "", "ADMIN_ADDR=127.0.0.1:9464": "127.0.0.1:9464"} {
		c, err := config.Load(config.Source{Environ: []string{setting}})
		if err != nil {
			t.Fatal(err)
		}
		if address, byDefault := c.AdminAddress(); address != want || byDefault {
			t.Errorf("%s: admin at %q, %v", setting, address, byDefault)
		}
	}
}

func TestTLSIsEnoughForProduction(t *testing.T) {
	for settings, right := range map[string]bool{"": false, "TLS_CERT_FILE=c.pem TLS_KEY_FILE=k.pem": true} {
		c, err := config.Load(config.Source{Environ: strings.Fields("APP_ENV=production AUTH=keys API_KEYS_FILE=keys.json HOST=0.0.0.0 " + settings)})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Unsafe(true, true); (err == nil) != right {
			t.Errorf("with %q: %v", settings, err)
		}
	}
}

func TestAdminURL(t *testing.T) {
	for setting, want := range map[string]string{
		"":                          "http://127.0.0.1:9464",
		"ADMIN_ADDR=10.1.2.3:9464":  "http://10.1.2.3:9464",
		"ADMIN_ADDR=0.0.0.0:9000":   "http://127.0.0.1:9000",
		"ADMIN_ADDR=[::]:9000":      "http://[::1]:9000",
		"ADMIN_ADDR=[fd00::1]:9000": "http://[fd00::1]:9000",
		"ADMIN_ADDR=off":            "",
		"ADMIN_ADDR=127.0.0.1:0":    "",
	} {
		c, err := config.Load(config.Source{Environ: []string{setting}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.AdminURL()
		if got != want || (err == nil) != (want != "") || err != nil && !strings.Contains(err.Error(), "--url") {
			t.Errorf("%s: %q, %v, want %q", setting, got, err, want)
		}
	}
}
