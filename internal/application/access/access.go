// Package access says who asks for something and what they may do. How that is found out, from a token say, is an outside
// system's matter.
package access

import (
	"strings"
)

// Scopes are what a caller may do: OAuth 2.0 scopes (RFC 6749, section 3.3). The zero value is none.
type Scopes uint8

// The scopes. Admin includes the other two, which do not include each other.
const (
	// Read allows reading orders and their timelines.
	Read Scopes = 1 << iota
	// Write allows placing and changing orders.
	Write
	// Admin allows everything: deliveries, export and import as well.
	Admin
)

// names are the scopes as they stand in tokens, the most powerful last.
func names() []struct {
	scope Scopes
	name  string
} {
	return []struct {
		scope Scopes
		name  string
	}{{Read, "orders:read"}, {Write, "orders:write"}, {Admin, "orders:admin"}}
}

// Allow reports whether who has s may do what needs all of need.
func (s Scopes) Allow(need Scopes) bool { return s&Admin != 0 || s&need == need }

// String returns the names, parted by spaces.
func (s Scopes) String() string {
	var all []string
	for _, n := range names() {
		if s&n.scope != 0 {
			all = append(all, n.name)
		}
	}
	return strings.Join(all, " ")
}

// ScopesOf returns what the names say that are known; others belong to other services.
func ScopesOf(list ...string) Scopes {
	var s Scopes
	for _, name := range list {
		for _, n := range names() {
			if n.name == name {
				s |= n.scope
			}
		}
	}
	return s
}

// Names returns the names of all scopes.
func Names() []string {
	var all []string
	for _, n := range names() {
		all = append(all, n.name)
	}
	return all
}

// Caller is who asks.
type Caller struct {
	// Subject names the caller. It is the actor of its changes and the owner of its idempotency keys.
	Subject string
	// Scopes are what it may do.
	Scopes Scopes
	// Customer is the one customer whose orders the caller may see and make; "" for all.
	Customer string
}

// AnonymousSubject is the caller whom nobody identified.
const AnonymousSubject = "anonymous"

// Anonymous is the caller where nobody is asked who it is: it may do everything.
func Anonymous() Caller { return Caller{Subject: AnonymousSubject, Scopes: Admin} }
