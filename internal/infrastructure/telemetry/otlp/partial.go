package otlp

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"time"
)

// partial is what the exporters' own errors of this kind have in common with each other and with no others. Their type is internal
// to each of them.
type partial interface {
	error

	Is(target error) bool
	As(target any) bool
}

// Partial tells whether what an exporter returned is no failure: the collector took what it was sent, but for so many spans or points,
// or has advice to give (with none rejected). Sending that again, or waiting, would be wrong.
func Partial(err error) (rejected int64, ok bool) {
	var found partial
	if !errors.As(err, &found) {
		return 0, false
	}
	is := reflect.Indirect(reflect.ValueOf(found))
	if is.Kind() != reflect.Struct || is.Type().Name() != "PartialSuccess" {
		return 0, false
	}
	count := is.FieldByName("RejectedItems")
	if !count.IsValid() || !count.CanInt() {
		return 0, true
	}
	return max(0, count.Int()), true
}

// complainEvery is how often the log is told of what a collector rejects.
const complainEvery = time.Hour

// Complaints tells the log what a collector does not take of that which it is sent: the first time, and then once an hour at most. It is
// not safe for concurrent use.
type Complaints struct {
	// What is sent: "spans", "points".
	What string
	Log  *slog.Logger
	Now  func() time.Time

	rejected int64
	said     time.Time
}

// Heard takes note of how an export ended and tells whether it failed: err, or nil if it was no failure.
func (c *Complaints) Heard(ctx context.Context, err error) error {
	rejected, ok := Partial(err)
	if !ok {
		return err
	}
	c.rejected += rejected
	if now := c.Now(); c.said.IsZero() || now.Sub(c.said) >= complainEvery {
		c.said = now
		c.Log.WarnContext(ctx, "the collector complains of what it is sent; look at its limits and its log",
			"what", c.What, "rejected", c.rejected, "complaint", Brief(err))
		c.rejected = 0
	}
	return nil
}

// maxBrief is how much of an error is logged, in bytes: a collector may answer whatever it likes.
const maxBrief = 500

// Brief is the text of an error, cut so that it can be logged.
func Brief(err error) string {
	text := strings.ToValidUTF8(err.Error(), "")
	return strings.ToValidUTF8(text[:min(len(text), maxBrief)], "")
}
