package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
)

// statusOf is the one table from kinds of errors to HTTP.
func statusOf(kind fault.Kind) int {
	switch kind {
	case fault.Malformed:
		return http.StatusBadRequest
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.NotAllowed:
		return http.StatusConflict
	case fault.Stale:
		return http.StatusPreconditionFailed
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Unsupported:
		return http.StatusUnsupportedMediaType
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.TooMany:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Internal:
	}
	return http.StatusInternalServerError
}

// refusal is an error that only HTTP has: it brings its own status.
type refusal struct {
	status int
	cause  *fault.Error
}

// Error returns what the fault says.
func (r refusal) Error() string { return r.cause.Error() }

// Unwrap returns the fault.
func (r refusal) Unwrap() error { return r.cause }

// problemOf returns the problem that answers an error, and how long to wait before another try.
func (x *exchange) problemOf(err error) (wire.Problem, time.Duration) {
	f := fault.Of(err)
	status := statusOf(f.Kind)
	if r, ok := errors.AsType[refusal](err); ok {
		status = r.status
	}
	p := wire.Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: f.Message, Code: f.Code, Error: f.Message, RequestID: x.id,
	}
	for _, field := range f.Fields {
		p.Errors = append(p.Errors, wire.ProblemField(field))
	}
	wait := f.RetryAfter
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		wait = max(wait, time.Second)
	}
	return p, wait
}

// fail answers with the problem that err is. What is inside an internal error goes to the log only.
// An answer that has begun is cut off, so that nobody takes it for whole.
func (x *exchange) fail(err error) {
	switch f := fault.Of(err); {
	case f.Kind == fault.Internal && !errors.Is(err, context.Canceled):
		x.api.Log.ErrorContext(x.ctx, "request failed", "error", err)
	case f.Kind == fault.Unavailable && f.Unwrap() != nil:
		x.api.Log.WarnContext(x.ctx, "request failed", "error", err)
	}
	if x.status != 0 {
		panic(http.ErrAbortHandler)
	}
	x.answer(err)
}

// answer writes the problem that err is.
func (x *exchange) answer(err error) {
	problem, wait := x.problemOf(err)
	x.code = problem.Code
	h := x.w.Header()
	for _, name := range [...]string{"Etag", "Location", "Link", headerReplayed, "Content-Disposition"} {
		delete(h, name) // they would speak of an answer that there is not
	}
	h["Cache-Control"] = noStore
	if wait > 0 {
		h["Retry-After"] = []string{strconv.Itoa(int((wait + time.Second - 1) / time.Second))}
	}
	if challenge := x.challenge(fault.Of(err)); challenge != "" {
		h["Www-Authenticate"] = []string{challenge}
	}
	x.out = wire.AppendProblem(x.out[:0], &problem)
	x.reply(problem.Status, typeProblem, x.out)
}

// within returns err with the places of its fields put below place: "items" is at "body.items".
func within(place string, err error) error {
	if err == nil {
		return nil
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || len(f.Fields) == 0 {
		return err
	}
	moved := *f
	moved.Fields = slices.Clone(f.Fields)
	for i := range moved.Fields {
		switch at := moved.Fields[i].Location; {
		case at == "":
			moved.Fields[i].Location = place
		case at[0] == '[':
			moved.Fields[i].Location = place + at
		default:
			moved.Fields[i].Location = place + "." + at
		}
	}
	if f.Message == fault.OfFields(f.Fields).Message {
		moved.Message = fault.OfFields(moved.Fields).Message
	}
	return &moved
}

// at returns a fault about one value, with the place of that value.
func at(place string, f *fault.Error) *fault.Error {
	placed := *f
	placed.Fields = []fault.Field{{Location: place, Message: f.Message}}
	placed.Message = place + " " + f.Message
	return &placed
}

// invalid returns the fault that the value at a place breaks a rule.
func invalid(place, message string) *fault.Error {
	return fault.OfFields([]fault.Field{{Location: place, Message: message}})
}
