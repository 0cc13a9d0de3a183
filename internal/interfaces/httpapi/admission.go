package httpapi

import "net/http"

// lightestBody is what a body weighs at least, in bytes: each exchange has a buffer of that size.
const lightestBody = 4 << 10

// admit makes the exchange's body weigh so many bytes, if it weighed less, until the exchange ends. The
// error is that of turnAway when all bodies together would weigh more than MaxInFlightBytes.
func (x *exchange) admit(weight int64) error {
	more := max(weight, lightestBody) - x.weight
	if more <= 0 {
		return nil
	}
	if x.api.inFlight.Add(more) > x.api.MaxInFlightBytes {
		x.api.inFlight.Add(-more)
		return x.turnAway(RefusedBodyBytes)
	}
	x.weight += more
	return nil
}

// lightAnswer is how large an answer may be, in bytes, that does not count: the connection has buffers for about as much.
const lightAnswer = 64 << 10

// admitAnswer makes the answer count until it is written, as nobody has a place while that goes on. Answers have as much room
// as bodies, besides these, and one that is alone fits always. The error is that of turnAway; there is none for what has changed
// something: its answer is about as large as the body that it comes of, which counts already.
func (x *exchange) admitAnswer() error {
	more := int64(len(x.out))
	if more <= lightAnswer || x.r.Method != http.MethodGet {
		return nil
	}
	if all := x.api.unread.Add(more); all > x.api.MaxInFlightBytes && all > more {
		x.api.unread.Add(-more)
		return x.turnAway(RefusedBodyBytes)
	}
	x.unread = more
	return nil
}

// putDown gives back what admit and admitAnswer took.
func (x *exchange) putDown() {
	if x.unread > 0 {
		x.api.unread.Add(-x.unread)
	}
	if x.weight > 0 {
		x.api.inFlight.Add(-x.weight)
	}
	x.unread, x.weight = 0, 0
}
