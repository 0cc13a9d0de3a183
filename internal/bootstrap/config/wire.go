package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxListed is how many members a setting that is a list may have.
const maxListed = 100

// noAdmin is the value of ADMIN_ADDR for none.
const noAdmin = "off"

// RateLimit is how many requests a caller may make. The zero RateLimit is no limit.
type RateLimit struct {
	Requests int           // in each Period
	Period   time.Duration // a second, a minute or an hour
	Burst    int           // how many may come at once, when there were none for a while
}

// The largest numbers of a RateLimit.
const maxRequests = 1_000_000

// UnmarshalText implements encoding.TextUnmarshaler. It takes what "requests/period" or "requests/period:burst" says, where
// the period is s, m or h, and the burst is as many requests as the first number unless it is given.
func (r *RateLimit) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*r = RateLimit{}
		return nil
	}
	rate, burst, hasBurst := strings.Cut(string(text), ":")
	requests, period, _ := strings.Cut(rate, "/")
	if !hasBurst {
		burst = requests
	}
	periods := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}
	parsed := RateLimit{Requests: number(requests), Period: periods[period], Burst: number(burst)}
	if parsed.Requests == 0 || parsed.Period == 0 || parsed.Burst == 0 {
		return errors.New("no rate")
	}
	*r = parsed
	return nil
}

// number reads a number from 1 to maxRequests, else 0.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxRequests || strconv.Itoa(n) != text {
		return 0
	}
	return n
}

// Proxies are the networks of TRUSTED_PROXIES.
func (c *Config) Proxies() []netip.Prefix {
	all, _ := networks(c.TrustedProxies) // checked by Load
	return all
}

// Origins are the members of CORS_ALLOWED_ORIGINS.
func (c *Config) Origins() []string { return listed(c.CORSAllowedOrigins) }

// AdminAddress is ADMIN_ADDR in the form that net.Listen takes, "" for none; byDefault tells that nobody asked for it.
func (c *Config) AdminAddress() (address string, byDefault bool) {
	if c.AdminAddr == noAdmin {
		return "", false
	}
	return c.AdminAddr, c.text == nil || c.text("ADMIN_ADDR").source == sourceDefault
}

// AdminURL is where programs on this machine reach ADMIN_ADDR. The error says why nobody can know.
func (c *Config) AdminURL() (string, error) {
	if c.AdminAddr == noAdmin {
		return "", errors.New("ADMIN_ADDR is off, so the service tells operators nothing: set it where the service is started, or say where to ask with --url")
	}
	at, err := netip.ParseAddrPort(c.AdminAddr)
	if err != nil {
		return "", fmt.Errorf("ADMIN_ADDR: %w", err)
	}
	if at.Port() == 0 {
		return "", errors.New("ADMIN_ADDR has port 0, so the service chose its own: say where it is with --url")
	}
	if ip := at.Addr(); ip.IsUnspecified() { // every address of the machine is listened on
		loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
		if ip.Is6() {
			loopback = netip.IPv6Loopback()
		}
		at = netip.AddrPortFrom(loopback, at.Port())
	}
	return "http://" + at.String(), nil
}

// checkWire holds the rules about who may connect, and how.
func (l *loading) checkWire() {
	l.need(l.TLSCertFile == "" || l.TLSKeyFile != "", "TLS_KEY_FILE", "TLS_CERT_FILE needs TLS_KEY_FILE; give the path of its private key")
	l.need(l.TLSKeyFile == "" || l.TLSCertFile != "", "TLS_CERT_FILE", "TLS_KEY_FILE needs TLS_CERT_FILE; give the path of its certificate")
	l.need(l.TLSClientCAFile == "" || l.TLSCertFile != "", "TLS_CERT_FILE",
		"TLS_CLIENT_CA_FILE needs TLS_CERT_FILE; clients show certificates only over TLS")
	if _, err := networks(l.TrustedProxies); err != nil {
		l.reject("TRUSTED_PROXIES")
	}
	if !areOrigins(l.Origins()) {
		l.reject("CORS_ALLOWED_ORIGINS")
	}
	if _, err := netip.ParseAddrPort(l.AdminAddr); err != nil && l.AdminAddr != noAdmin {
		l.reject("ADMIN_ADDR")
	}
}

// listed takes a list apart.
func listed(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// networks reads a list of networks and addresses.
func networks(text string) ([]netip.Prefix, error) {
	members := listed(text)
	if len(members) > maxListed {
		return nil, errors.New("too many networks")
	}
	all := make([]netip.Prefix, 0, len(members))
	for _, member := range members {
		network, err := netip.ParsePrefix(member)
		if err != nil {
			address, err := netip.ParseAddr(member)
			if err != nil || address.Zone() != "" {
				return nil, fmt.Errorf("%q is no network", member)
			}
			network = netip.PrefixFrom(address, address.BitLen())
		}
		if network.Addr().Is4In6() {
			return nil, fmt.Errorf("%q is an IPv4 network in the clothes of IPv6", member)
		}
		all = append(all, network.Masked())
	}
	return all, nil
}

// areOrigins tells whether all are origins as browsers write them, or there is one * only.
func areOrigins(all []string) bool {
	if len(all) == 1 && all[0] == "*" {
		return true
	}
	for _, origin := range all {
		if !isOrigin(origin) {
			return false
		}
	}
	return len(all) <= maxListed
}

// isOrigin tells whether the text is what a browser sends for a page's origin: in lower case, without a port that goes without
// saying, and without anything behind the host.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Scheme+"://"+u.Host != text || strings.ToLower(text) != text {
		return false
	}
	if !isHostName(u.Hostname()) {
		if _, err := netip.ParseAddr(u.Hostname()); err != nil {
			return false
		}
	}
	port, standard := u.Port(), map[string]string{"http": "80", "https": "443"}
	return port == "" && !strings.HasSuffix(text, ":") || port != "" && port != standard[u.Scheme] && number(port) > 0 && number(port) < 1<<16
}
