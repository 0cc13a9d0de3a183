// Package fault holds the closed set of errors that callers of the service can meet. Every layer
// answers with these kinds; the ways in (HTTP, Lambda, command line) turn a kind into their own
// terms in one place. An error that is not a *Error counts as Internal: its text is for the
// operator's log and never for the caller.
package fault

import (
	"errors"
	"time"
)

// Kind says what sort of error it is. The zero value is Internal.
type Kind uint8

// The kinds, with the HTTP status each one becomes.
const (
	Internal        Kind = iota // 500: a defect or an unexpected failure of a part
	Malformed                   // 400: the request can't be read at all
	Unauthenticated             // 401: who calls is not known
	Forbidden                   // 403: the caller may not do this
	NotFound                    // 404: there is no such thing, or not for this caller
	NotAllowed                  // 409: the rules do not allow this now
	Stale                       // 412: the caller's version is not the current one
	TooLarge                    // 413: more than the service takes at once
	Unsupported                 // 415: a form of content the service does not read
	Invalid                     // 422: readable, but fields break a rule
	TooMany                     // 429: the caller is asking too often
	Unavailable                 // 503: a part is away or full; trying again later helps
)

// Error is an error that a caller may see. Its fields are safe to show, the cause is not.
type Error struct {
	Kind Kind
	// Code is the stable, machine-readable name, in snake case: "order_not_found".
	Code string
	// Message is one plain sentence that says what is wrong and what would be right.
	Message string
	// Fields names each field at fault; empty when no single field is.
	Fields []Field
	// RetryAfter is how long to wait before another try; zero when that is not known.
	RetryAfter time.Duration

	cause error
}

// Field is one fault in one place of the input.
type Field struct {
	// Location is the path to the field, as in "items[0].quantity".
	Location string
	// Message says what is wrong there and what would be right.
	Message string
}

// New returns an error of the given kind.
func New(kind Kind, code, message string) *Error {
	return &Error{Kind: kind, Code: code, Message: message}
}

// Wrap returns an error of the given kind that keeps cause for errors.Is, errors.As and the
// operator's log.
func Wrap(cause error, kind Kind, code, message string) *Error {
	return &Error{Kind: kind, Code: code, Message: message, cause: cause}
}

// Error returns the message, followed by the cause if there is one. It is meant for logs: show a
// caller Message instead.
func (e *Error) Error() string {
	if e.cause == nil {
		return e.Message
	}
	return e.Message + ": " + e.cause.Error()
}

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is a *Error with the same code, so that a sentinel such as
// fault.New(fault.NotFound, "order_not_found", "") can be matched.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Of returns the *Error in err's chain. An error without one becomes Internal, with err as its cause
// and a message that gives nothing away.
func Of(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return Wrap(err, Internal, "internal", "something went wrong inside the service; try again, and if it lasts, report the request id")
}

// KindOf returns the kind of err: that of the *Error in its chain, else Internal.
func KindOf(err error) Kind { return Of(err).Kind }
