package httpapi

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

// putDown gives back what admit took.
func (x *exchange) putDown() {
	if x.weight > 0 {
		x.api.inFlight.Add(-x.weight)
	}
}
