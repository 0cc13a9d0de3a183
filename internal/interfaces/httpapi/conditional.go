package httpapi

import (
	"net/http"
	"strconv"
	"strings"
)

// etag returns the entity tag of a version: "7", in quotes.
func etag(version int) string { return `"` + strconv.Itoa(version) + `"` }

// ifMatch returns the versions of which an order must have one, as If-Match says: nil when any will
// do. Weak tags, and tags that no order ever has, match none (RFC 9110, section 13.1.1).
func (x *exchange) ifMatch() ([]int, error) {
	sent := x.r.Header["If-Match"]
	if len(sent) == 0 {
		return nil, nil
	}
	tags, star, ok := entityTags(sent)
	switch {
	case !ok:
		return nil, invalid("header.If-Match", `must be * or entity tags such as "1", parted by commas`)
	case star:
		return nil, nil
	}
	versions := make([]int, 0, len(tags))
	for _, tag := range tags {
		if n, err := strconv.Atoi(tag.value); err == nil && !tag.weak && n > 0 && etag(n) == `"`+tag.value+`"` {
			versions = append(versions, n)
		}
	}
	return versions, nil
}

// unchanged reports whether If-None-Match names the version. A header that can't be read is passed
// over: the caller gets the order.
func (x *exchange) unchanged(version int) bool {
	sent := x.r.Header["If-None-Match"]
	if len(sent) == 0 {
		return false
	}
	if len(sent) == 1 && sent[0] == etag(version) {
		return true
	}
	tags, star, ok := entityTags(sent)
	if !ok || star {
		return ok
	}
	for _, tag := range tags {
		if tag.value == strconv.Itoa(version) {
			return true
		}
	}
	return false
}

// notModified answers that the caller has the version already.
func (x *exchange) notModified() error {
	x.start(http.StatusNotModified)
	return nil
}

// entityTag is one tag of a list; value is what stands between the quotes.
type entityTag struct {
	value string
	weak  bool
}

// entityTags reads the values of If-Match or If-None-Match: a list of tags, or * alone.
func entityTags(values []string) (tags []entityTag, star, ok bool) {
	rest := strings.TrimSpace(strings.Join(values, ","))
	if rest == "*" {
		return nil, true, true
	}
	for {
		rest = strings.TrimLeft(rest, " \t,")
		if rest == "" {
			return tags, false, len(tags) > 0
		}
		opaque, weak := strings.CutPrefix(rest, "W/")
		if !strings.HasPrefix(opaque, `"`) {
			return nil, false, false
		}
		value, after, closed := strings.Cut(opaque[1:], `"`)
		rest = strings.TrimLeft(after, " \t")
		if !closed || rest != "" && rest[0] != ',' {
			return nil, false, false
		}
		tags = append(tags, entityTag{value: value, weak: weak})
	}
}
