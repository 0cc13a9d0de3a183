package clients_test

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"order-processing-service/internal/interfaces/httpapi/clients"
)

var proxies = clients.Proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:f::/48")}

func TestOf(t *testing.T) {
	const proxy, stranger = "10.0.0.1:4000", "203.0.113.9:4000"
	for name, tt := range map[string]struct {
		remote string
		header string // lines, parted by |
		want   string
		https  bool
	}{
		"no proxy":                       {stranger, "", "203.0.113.9", false},
		"not trusted":                    {stranger, "X-Forwarded-For: 198.51.100.1|Forwarded: for=198.51.100.1|X-Forwarded-Proto: https", "203.0.113.9", false},
		"says nothing":                   {proxy, "", "10.0.0.1", false},
		"X-Forwarded-For":                {proxy, "X-Forwarded-For: 198.51.100.1|X-Forwarded-Proto: https", "198.51.100.1", true},
		"with a port":                    {proxy, "X-Forwarded-For: 198.51.100.1:55", "198.51.100.1", false},
		"made up before it":              {proxy, "X-Forwarded-For: 192.0.2.66, 198.51.100.1", "198.51.100.1", false},
		"made up in a line before":       {proxy, "X-Forwarded-For: 192.0.2.66|X-Forwarded-For: 198.51.100.1", "198.51.100.1", false},
		"a trusted one made up":          {proxy, "X-Forwarded-For: 192.0.2.66, 10.9.9.9, 198.51.100.1", "198.51.100.1", false},
		"two proxies":                    {proxy, "X-Forwarded-For: 192.0.2.66, 198.51.100.1, 10.0.0.2", "198.51.100.1", false},
		"two proxies in lines":           {proxy, "X-Forwarded-For: 198.51.100.1|X-Forwarded-For: 10.0.0.2", "198.51.100.1", false},
		"proxies only":                   {proxy, "X-Forwarded-For: 10.0.0.3, 10.0.0.2", "10.0.0.3", false},
		"nonsense":                       {proxy, "X-Forwarded-For: 198.51.100.1, what", "10.0.0.1", false},
		"nonsense behind a proxy":        {proxy, "X-Forwarded-For: 198.51.100.1, , 10.0.0.2", "10.0.0.2", false},
		"IPv6":                           {"[2001:db8:f::1]:1", "X-Forwarded-For: 2001:db8::7", "2001:db8::7", false},
		"IPv6 with a port":               {proxy, "X-Forwarded-For: [2001:db8::7]:99", "2001:db8::7", false},
		"IPv4 in IPv6":                   {"[::ffff:10.0.0.1]:1", "X-Forwarded-For: ::ffff:198.51.100.1", "198.51.100.1", false},
		"a zone":                         {proxy, "X-Forwarded-For: fe80::1%eth0", "fe80::1", false},
		"Forwarded":                      {proxy, "Forwarded: for=198.51.100.1;proto=https;by=10.0.0.1", "198.51.100.1", true},
		"Forwarded, quoted":              {proxy, `Forwarded: Proto=HTTPS; For="[2001:db8::7]:4711"`, "2001:db8::7", true},
		"Forwarded, made up":             {proxy, `Forwarded: for=192.0.2.66;proto=https, for=198.51.100.1`, "198.51.100.1", false},
		"Forwarded, an open quote":       {proxy, `Forwarded: for="192.0.2.66, for=198.51.100.1`, "198.51.100.1", false},
		"Forwarded, unknown":             {proxy, `Forwarded: for=unknown`, "10.0.0.1", false},
		"Forwarded, hidden":              {proxy, `Forwarded: for="_gazonk"`, "10.0.0.1", false},
		"Forwarded, twice in one":        {proxy, `Forwarded: for=192.0.2.66;for=198.51.100.1`, "10.0.0.1", false},
		"both agree":                     {proxy, "Forwarded: for=198.51.100.1|X-Forwarded-For: 198.51.100.1", "198.51.100.1", false},
		"one of both is made up":         {proxy, "Forwarded: for=192.0.2.66|X-Forwarded-For: 198.51.100.1", "10.0.0.1", false},
		"the last proto counts":          {proxy, "X-Forwarded-For: 198.51.100.1|X-Forwarded-Proto: https, http", "198.51.100.1", false},
		"no address at all":              {"@", "X-Forwarded-For: 198.51.100.1", "invalid IP", false},
		"as many hops as are believed":   {proxy, "X-Forwarded-For: 198.51.100.1" + strings.Repeat(",10.0.0.2", 31), "198.51.100.1", false},
		"more hops than are believed":    {proxy, "X-Forwarded-For: 198.51.100.1" + strings.Repeat(",10.0.0.2", 32), "10.0.0.2", false},
		"an address of a thousand signs": {proxy, "X-Forwarded-For: " + strings.Repeat("1", 1000), "10.0.0.1", false},
	} {
		h := http.Header{}
		for line := range strings.SplitSeq(tt.header, "|") {
			if key, value, ok := strings.Cut(line, ": "); ok {
				h.Add(key, value)
			}
		}
		got := proxies.Of(tt.remote, h)
		if got.Address.String() != tt.want || got.HTTPS != tt.https {
			t.Errorf("%s: %v, want %s and %v", name, got, tt.want, tt.https)
		}
	}
}

// FuzzOf appends what a client makes up to what its proxy says: it must never become anybody else.
func FuzzOf(f *testing.F) {
	for _, made := range []string{"", "192.0.2.66", `for="`, "for=192.0.2.66;", ",,,", "10.0.0.2, 10.0.0.3", "\x00", `"\"`} {
		f.Add(made, made, made, byte(203), byte(0), byte(113), byte(9))
	}
	f.Fuzz(func(t *testing.T, forwarded, common, proto string, a, b, c, d byte) {
		address := netip.AddrFrom4([4]byte{a, b, c, d})
		if proxies.Trusts(address) {
			t.Skip()
		}
		made := http.Header{"Forwarded": {forwarded}, "X-Forwarded-For": {common}, "X-Forwarded-Proto": {proto}}
		if got := proxies.Of(netip.AddrPortFrom(address, 1).String(), made); got != (clients.Client{Address: address}) {
			t.Errorf("without a proxy %v is %v", address, got)
		}
		// Proxies either append to what there is or add a line, to one of both headers.
		for _, h := range []http.Header{
			{"X-Forwarded-For": {common + ", " + address.String()}},
			{"X-Forwarded-For": {common, address.String()}},
			{"Forwarded": {forwarded + ", for=" + address.String()}},
			{"Forwarded": {forwarded, `proto=http;for="` + address.String() + `:80"`}},
		} {
			if got := proxies.Of("10.0.0.1:1", h); got.Address != address {
				t.Errorf("%v behind a proxy is %v: %q", address, got, h)
			}
		}
		// With something made up in the other header it is either itself or the proxy.
		got := proxies.Of("10.0.0.1:1", http.Header{"Forwarded": {forwarded}, "X-Forwarded-For": {common + "," + address.String()}})
		if got.Address != address && got.Address != netip.MustParseAddr("10.0.0.1") {
			t.Errorf("%v became %v with Forwarded: %q", address, got, forwarded)
		}
	})
}

func TestNetwork(t *testing.T) {
	got := make([]string, 0, 4)
	for _, address := range []string{"192.0.2.66", "::ffff:192.0.2.66", "2001:db8:1:2:3:4:5:6", "fe80::1%eth0"} {
		got = append(got, clients.Network(netip.MustParseAddr(address)).String())
	}
	if want := []string{"192.0.2.66/32", "192.0.2.66/32", "2001:db8:1:2::/64", "fe80::/64"}; !slices.Equal(got, want) {
		t.Errorf("networks %q, want %q", got, want)
	}
	if clients.Network(netip.Addr{}).IsValid() {
		t.Error("no address has a network")
	}
}
