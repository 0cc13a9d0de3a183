package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"order-processing-service/internal/domain/fault"
)

// retryAfter is how long a caller should leave a store alone that is in trouble.
const retryAfter = 2 * time.Second

// Codes of server errors (MongoDB, src/mongo/base/error_codes.yml).
const (
	codeUnauthorized         = 13
	codeAuthenticationFailed = 18
	codeCommandNotFound      = 59
	codeIndexOptionsConflict = 85
	codeIndexKeySpecs        = 86
	codeDuplicateKey         = 11000
	codeOutOfDiskSpace       = 14031
)

// movedCodes are those of a server that stops or is not the primary any more.
var movedCodes = []int{6, 7, 89, 91, 189, 262, 9001, 10058, 10107, 11600, 11602, 13388, 13435, 13436}

var errClosed = fault.New(fault.Unavailable, "store_closed", "the service is stopping; try again in a moment")

// Codes of faults. Waiting does not mend the first three: a start ends with them.
const (
	codeSignIn      = "store_sign_in_refused"
	codeRight       = "store_right_missing"
	codeTooOld      = "store_too_old"
	codeUnreachable = "store_unreachable"
	codeUnknown     = "store_outcome_unknown"
)

// translate turns an error of the driver into a fault that a caller may see; the driver's own words
// are kept as the cause. Faults pass as they are. A call whose own ctx has ended says so.
func translate(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	cause := fmt.Errorf("mongo: %s: %w", op, err)
	unavailable := func(code, message string) error {
		e := fault.Wrap(cause, fault.Unavailable, code, message)
		e.RetryAfter = retryAfter
		return e
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("mongo: %s: %w: %w", op, context.Cause(ctx), ctx.Err())
	case errors.Is(err, mongo.ErrClientDisconnected):
		return errClosed
	case hasCode(err, codeAuthenticationFailed):
		return unavailable(codeSignIn, "orders can't be kept or read right now: MongoDB refuses the sign-in of this service")
	case hasCode(err, codeUnauthorized):
		return unavailable(codeRight, "orders can't be kept or read right now: MongoDB does not let this service use its collection")
	case hasCode(err, codeOutOfDiskSpace):
		return unavailable("store_full", "orders can't be kept right now: the disk of MongoDB is full")
	case isAway(err):
		return unavailable(codeUnreachable, "orders can't be kept or read right now: MongoDB can't be reached")
	default:
		return cause
	}
}

// isAway reports whether the server could not be asked, or did not answer: it may help to ask again.
func isAway(err error) bool {
	if _, ok := errors.AsType[topology.ConnectionError](err); ok {
		return true
	}
	return isUnsent(err) || mongo.IsNetworkError(err) || mongo.IsTimeout(err) || isMoved(err) || writeConcernError(err) != nil
}

// isMoved reports whether the server is not the one any more that decides.
func isMoved(err error) bool {
	return slices.ContainsFunc(movedCodes, func(code int) bool { return hasCode(err, code) })
}

// isUnsent reports whether a call that failed has certainly done nothing: no server was found, or there
// was no connection to be had.
func isUnsent(err error) bool {
	var pool driver.RetryablePoolError
	return errors.As(err, &pool) || isUnserved(err)
}

// isUnserved reports whether a call that failed has waited in vain, so that another try would as well.
func isUnserved(err error) bool {
	if _, ok := errors.AsType[topology.ServerSelectionError](err); ok {
		return true
	}
	_, ok := errors.AsType[topology.WaitQueueTimeoutError](err)
	return ok
}

// gaveUp is the error of a write when the time is up. If it was sent, nobody could be asked whether it
// was done, and the caller is told so.
func gaveUp(op string, err error, sent bool) error {
	if !sent {
		return err
	}
	e := fault.Wrap(fmt.Errorf("mongo: %s: %w", op, err), fault.Unavailable, codeUnknown,
		"MongoDB went away before it said whether this was kept; ask again with the same Idempotency-Key, or read what is there")
	e.RetryAfter = retryAfter
	return e
}

// isFatal reports whether err is of a kind that waiting does not mend.
func isFatal(err error) bool {
	code := fault.Of(err).Code
	return code == codeSignIn || code == codeRight || code == codeTooOld
}

// hasCode reports whether a server answered with the given code.
func hasCode(err error, code int) bool {
	answer, ok := errors.AsType[mongo.ServerError](err)
	return ok && answer.HasErrorCode(code)
}

// writeConcernError returns what kept a write from being known to be durable, or nil.
func writeConcernError(err error) *mongo.WriteConcernError {
	if e, ok := errors.AsType[mongo.WriteException](err); ok {
		return e.WriteConcernError
	}
	if e, ok := errors.AsType[mongo.BulkWriteException](err); ok {
		return e.WriteConcernError
	}
	return nil
}
