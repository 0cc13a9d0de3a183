package receiving

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"order-processing-service/internal/application/correlation"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
)

// Receive does what a message asks for. Nil says that it is done with: it was applied, it had been before, or it was set
// aside. An error says that it must come again, later: it is early (IsEarly), or a part that is needed is away, which is a
// fault of kind Unavailable, or something failed, or it could not be set aside (IsNotSetAside). Nothing is changed then.
func (s *Service) Receive(ctx context.Context, m Message) error {
	if t, ok := correlation.ParseTraceparent(m.Trace); ok && !correlation.TraceOf(ctx).Valid() { // else this work is a span already
		ctx = correlation.WithTrace(ctx, t.NewSpan())
	}
	if correlation.ValidRequestID(m.ID) {
		ctx = correlation.WithRequestID(ctx, m.ID)
	}
	w := work{Service: s, message: &m, begun: s.Now()}
	replayed, err := w.apply(ctx)
	switch {
	case err == nil && replayed:
		w.end(ctx, slog.LevelInfo, "repeated", nil, func(c *Counts) { c.Repeated++ })
		return nil
	case err == nil:
		w.end(ctx, slog.LevelInfo, "applied", nil, func(c *Counts) { c.Applied++ })
		return nil
	case ctx.Err() != nil, fault.KindOf(err) == fault.Unavailable:
		w.end(ctx, slog.LevelDebug, "failed", err, func(c *Counts) { c.Failed++ })
		return err
	case IsEarly(err):
		if !s.givesUp(&m) {
			w.end(ctx, slog.LevelInfo, "early", err, func(c *Counts) { c.Early++ })
			return err
		}
	case fault.KindOf(err) == fault.Internal:
		if !s.givesUp(&m) {
			w.end(ctx, slog.LevelError, "failed", err, func(c *Counts) { c.Failed++ })
			return err
		}
	}
	return w.setAside(ctx, err)
}

// IsEarly reports whether err says that a message is ahead of its order: that order is not there yet, or has not come so far.
func IsEarly(err error) bool {
	return errors.Is(err, order.ErrNotFound) || errors.Is(err, order.ErrNotYet)
}

// setAsideError is why a message could not be set aside.
type setAsideError struct{ error }

// Unwrap is the error of the dead-letter queue.
func (e setAsideError) Unwrap() error { return e.error }

// IsNotSetAside reports whether err says that a message can't be applied and could not be set aside either. That is nothing
// that others have to wait for.
func IsNotSetAside(err error) bool {
	_, is := errors.AsType[setAsideError](err)
	return is
}

// givesUp reports whether a message has come often enough, for long enough.
func (s *Service) givesUp(m *Message) bool {
	if m.Receives == 0 && m.SentAt.IsZero() {
		return false // then it is the queue that must end it
	}
	return (m.Receives == 0 || m.Receives >= s.EarlyReceives) && (m.SentAt.IsZero() || s.Now().Sub(m.SentAt) >= s.EarlyFor)
}

// work is one message in hand.
type work struct {
	*Service
	message *Message
	command wire.Command
	begun   time.Time

	notSetAside error // why it could not be
}

// apply applies the message to its order. A panic counts as an error of kind Internal.
func (w *work) apply(ctx context.Context) (replayed bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			w.Log.ErrorContext(ctx, "message panicked", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("apply message %s: panic", w.message.ID)
		}
	}()
	if w.command, err = wire.DecodeCommand(w.message.Body); err != nil {
		return false, err
	}
	c := &w.command
	caller := ordering.Caller{Subject: Subject, Trace: correlation.TraceOf(ctx).Recorded()}
	if c.Source != "" {
		caller.Subject += ":" + c.Source
	}
	key := c.ID
	if key == "" {
		key = w.message.ID
	}
	revised, err := w.Orders.Change(ctx, caller, ordering.Change{ID: c.OrderID, Report: &c.Report, IdempotencyKey: key})
	return revised.Replayed || err == nil && !revised.Order.Changed(), err
}

// setAside sends the message to the dead letters.
func (w *work) setAside(ctx context.Context, cause error) error {
	f := fault.Of(cause)
	why := Reason{Code: f.Code, Text: f.Message}
	if IsEarly(cause) || f.Kind == fault.Internal {
		why.Text = fmt.Sprintf("%s (given up after %d tries)", why.Text, w.message.Receives)
	}
	var err error
	if w.DeadLetters == nil {
		err = fmt.Errorf("there is no dead-letter queue for a message that can't be applied: %s: %w", why.Code, cause)
	} else {
		err = w.DeadLetters.Send(ctx, *w.message, why)
	}
	if err != nil {
		w.notSetAside = err
		w.end(ctx, slog.LevelError, "not set aside", cause, func(c *Counts) { c.Failed++ })
		return setAsideError{err}
	}
	w.end(ctx, slog.LevelWarn, "dead-lettered", cause, func(c *Counts) {
		if c.DeadLettered == nil {
			c.DeadLettered = make(map[string]int)
		}
		c.DeadLettered[why.Code]++
	})
	return nil
}

// end counts and logs what has become of the message.
func (w *work) end(ctx context.Context, level slog.Level, outcome string, err error, count func(*Counts)) {
	w.counts.add(count)
	if !w.Log.Enabled(ctx, level) {
		return
	}
	attributes := append(make([]slog.Attr, 0, 8),
		slog.String("outcome", outcome), slog.String("message_id", w.message.ID), slog.Int("receives", w.message.Receives),
		slog.Int64("duration_us", w.Now().Sub(w.begun).Microseconds()))
	if t := w.command.Report.Type; slices.Contains(order.ReportTypes(), t) { // others are somebody else's text
		attributes = append(attributes, slog.String("type", string(t)))
	}
	if id := w.command.OrderID; !id.IsZero() {
		attributes = append(attributes, slog.String("order_id", id.String()))
	}
	if err != nil {
		attributes = append(attributes, slog.String("code", fault.Of(err).Code))
		// What is wrong with the message itself is put in its own words, which are a customer's; its dead letter has them.
		if kind := fault.KindOf(err); kind != fault.Internal && kind != fault.Unavailable {
			err = w.notSetAside
		} else {
			err = errors.Join(err, w.notSetAside)
		}
	}
	if err != nil {
		attributes = append(attributes, slog.Any("error", err))
	}
	w.Log.LogAttrs(ctx, level, "message", attributes...)
}
