package config

import (
	"fmt"
	"net/netip"
	"regexp"
)

var connectionString = regexp.MustCompile(`^mongodb(\+srv)?://.`)

var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

// check holds the rules that tags cannot say.
func (l *loading) check(validCurrency func(string) bool) {
	if _, err := netip.ParseAddr(l.Host); err != nil && !hostName.MatchString(l.Host) {
		l.reject("HOST")
	}
	if validCurrency != nil && !validCurrency(l.DefaultCurrency) {
		l.reject("DEFAULT_CURRENCY")
	}
	if uri := string(l.MongoURI); uri != "" && !connectionString.MatchString(uri) {
		l.reject("MONGO_URI")
	}
	if _, err := netip.ParseAddr(l.MongoHost); l.MongoHost != "" && err != nil && !hostName.MatchString(l.MongoHost) {
		l.reject("MONGO_HOST")
	}
	l.order(l.ReadHeaderTimeout <= l.ReadTimeout, "READ_HEADER_TIMEOUT", "not more", "READ_TIMEOUT")
	l.order(l.RequestTimeout < l.WriteTimeout, "REQUEST_TIMEOUT", "less", "WRITE_TIMEOUT")
	l.order(l.MaxBodyBytes <= l.MaxBatchBodyBytes, "MAX_BODY_BYTES", "not more", "MAX_BATCH_BODY_BYTES")
	l.order(l.MaxBatchBodyBytes <= l.MaxInFlightBytes, "MAX_BATCH_BODY_BYTES", "not more", "MAX_IN_FLIGHT_BYTES")
	l.order(l.DeliveryBackoffMin <= l.DeliveryBackoffMax, "DELIVERY_BACKOFF_MIN", "not more", "DELIVERY_BACKOFF_MAX")
}

// order objects to two settings that are right alone but not together.
func (l *loading) order(right bool, low, relation, high string) {
	if right || l.problems[low] != nil || l.problems[high] != nil {
		return
	}
	a, b := l.values[low], l.values[high]
	l.object(low, fmt.Errorf("%s=%s (%s) and %s=%s (%s): make the first %s than the second",
		low, a.value, a.source, high, b.value, b.source, relation))
}
