// Package clients finds out from where a request comes: from the other end of the connection or, when a proxy that is trusted is
// there, from where that says.
package clients

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the networks whose word on their clients is taken. It is safe for concurrent use.
type Proxies []netip.Prefix

// Client is where a request comes from.
type Client struct {
	Address netip.Addr // the zero one when it is not known
	HTTPS   bool       // whether a proxy says that it was sent by https
}

// maxHops is how many proxies are believed in a row.
const maxHops = 32

// Trusts tells whether there is a proxy at the address.
func (p Proxies) Trusts(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	for _, network := range p {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// Trust tells whether there is a proxy at the other end of a connection, by its address with a port.
func (p Proxies) Trust(remote string) bool {
	if len(p) == 0 {
		return false
	}
	address, ok := parseAddress(remote)
	return ok && p.Trusts(address)
}

// Of returns where a request comes from. Every proxy appends to Forwarded (RFC 7239) or X-Forwarded-For whom it heard the request
// from, so that they are read from their ends, for as long as who wrote an entry is trusted; what lies before that anybody
// may have made up. When there are both and they tell different things, one of them was made up by a client whose proxy writes
// only the other: then the proxy itself is taken for the client.
func (p Proxies) Of(remote string, h http.Header) Client {
	from, ok := parseAddress(remote)
	if !ok {
		return Client{}
	}
	if !p.Trusts(from) {
		return Client{Address: from}
	}
	standard, common := h["Forwarded"], h["X-Forwarded-For"]
	c := Client{Address: from}
	switch {
	case len(standard) == 0:
		c.Address = p.walk(from, common, parseAddress)
	case len(common) == 0:
		c.Address = p.walk(from, standard, forwardedFor)
	default:
		if a := p.walk(from, standard, forwardedFor); a == p.walk(from, common, parseAddress) {
			c.Address = a
		}
	}
	if said := last(h["X-Forwarded-Proto"]); said != "" {
		c.HTTPS = strings.EqualFold(said, "https")
	} else {
		c.HTTPS = strings.EqualFold(forwardedPair(last(standard), "proto"), "https")
	}
	return c
}

// walk goes from a trusted proxy to whom it heard the request from, and so on.
func (p Proxies) walk(from netip.Addr, lines []string, read func(entry string) (netip.Addr, bool)) netip.Addr {
	hops := 0
	for _, line := range slices.Backward(lines) {
		for rest, more := line, true; more; hops++ {
			var entry string
			rest, entry, more = cutLast(rest)
			address, ok := read(entry)
			if !ok || hops == maxHops {
				return from
			}
			from = address
			if !p.Trusts(from) {
				return from
			}
		}
	}
	return from
}

// cutLast returns the last entry of a list, and what is before it. A comma in quotes parts entries as well: an address has none,
// and a quote that a client leaves open must not swallow what its proxy appends.
func cutLast(list string) (before, entry string, more bool) {
	i := strings.LastIndexByte(list, ',')
	if i < 0 {
		return "", strings.Trim(list, " \t"), false
	}
	return list[:i], strings.Trim(list[i+1:], " \t"), true
}

// last returns the last entry of a header.
func last(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	_, entry, _ := cutLast(lines[len(lines)-1])
	return entry
}

// forwardedFor reads whom an entry of Forwarded is for.
func forwardedFor(entry string) (netip.Addr, bool) { return parseAddress(forwardedPair(entry, "for")) }

// forwardedPair returns the value of a name in an entry of Forwarded, "" when it has none or several.
func forwardedPair(entry, name string) string {
	value, found := "", false
	for pair := range strings.SplitSeq(entry, ";") {
		key, v, ok := strings.Cut(strings.Trim(pair, " \t"), "=")
		if !ok || !strings.EqualFold(key, name) {
			continue
		}
		if found {
			return ""
		}
		value, found = v, true
	}
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		value = value[1 : len(value)-1] // an address has nothing that would have to be escaped
	}
	return value
}

// parseAddress reads an address, with or without a port and brackets.
func parseAddress(text string) (netip.Addr, bool) {
	if len(text) > 64 {
		return netip.Addr{}, false
	}
	if port, err := netip.ParseAddrPort(text); err == nil {
		return port.Addr().Unmap().WithZone(""), true
	}
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		text = text[1 : len(text)-1]
	}
	address, err := netip.ParseAddr(text)
	return address.Unmap().WithZone(""), err == nil
}

// networkBits is how much of an IPv6 address belongs to one customer of a provider, in bits.
const networkBits = 64

// Network returns the addresses that are counted as one: an IPv4 address alone, or an IPv6 network of /64, within which one
// client can take any address it likes. The zero address has none.
func Network(address netip.Addr) netip.Prefix {
	address = address.Unmap().WithZone("")
	bits := address.BitLen()
	if address.Is6() {
		bits = networkBits
	}
	return netip.PrefixFrom(address, bits).Masked()
}
