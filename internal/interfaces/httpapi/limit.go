package httpapi

import (
	"fmt"
	"strconv"
	"time"

	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/interfaces/httpapi/clients"
	"order-processing-service/internal/interfaces/httpapi/ratelimit"
)

// from returns where the request comes from.
func (x *exchange) from() clients.Client {
	if !x.located {
		x.client, x.located = x.api.TrustedProxies.Of(x.r.RemoteAddr, x.r.Header), true
	}
	return x.client
}

// withinLimit counts the request against what its caller may do, or its network when it is not known who calls; unknown is then
// why. It answers unknown, or a fault of kind TooMany.
func (x *exchange) withinLimit(unknown error) error {
	if unknown != nil && fault.Of(unknown).Kind != fault.Unauthenticated {
		return unknown
	}
	if err := x.count(unknown == nil && x.api.Identify != nil); err != nil {
		return err
	}
	return unknown
}

// count counts the request against what its caller may do if it is known, or else against what its network may. It answers a fault
// of kind TooMany when that is used up.
func (x *exchange) count(known bool) error {
	l := x.api.RateLimit
	if l == nil {
		return nil
	}
	var d ratelimit.Decision
	if known {
		d = l.Named(x.caller.Subject)
	} else {
		d = l.Unnamed(clients.Network(x.from().Address))
	}
	h := x.w.Header()
	h["Ratelimit-Policy"] = x.api.ratePolicy
	h["Ratelimit"] = []string{rateState(d)}
	if d.Allowed {
		return nil
	}
	x.api.Meter.Refused(RefusedRateLimit)
	return &fault.Error{
		Kind: fault.TooMany, Code: "rate_limited", RetryAfter: d.Reset,
		Message: "these are more requests than one caller may make; wait for as long as the header Retry-After says",
	}
}

// ratePolicy is the header RateLimit-Policy: what may come at once, and how many seconds it then takes until all of it may come
// again.
func ratePolicy(l *ratelimit.Limiter) []string {
	requests, refill := l.Burst()
	return []string{fmt.Sprintf(`"default";q=%d;w=%d`, requests, seconds(refill))}
}

// rateState is the header RateLimit.
func rateState(d ratelimit.Decision) string {
	b := append(make([]byte, 0, 32), `"default";r=`...)
	b = strconv.AppendInt(b, int64(d.Remaining), 10)
	b = append(b, ";t="...)
	return string(strconv.AppendInt(b, seconds(d.Reset), 10))
}

// seconds is a duration in whole seconds, rounded up.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
