package config

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"time"
)

var connectionString = regexp.MustCompile(`^mongodb(\+srv)?://.`)

var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)

// isHostName bounds the length by itself: a pattern that counts takes a hundred times the memory, in every process.
func isHostName(text string) bool { return len(text) <= 253 && hostName.MatchString(text) }

// check holds the rules that tags cannot say.
func (l *loading) check(validCurrency func(string) bool) {
	if _, err := netip.ParseAddr(l.Host); err != nil && !isHostName(l.Host) {
		l.reject("HOST")
	}
	if validCurrency != nil && !validCurrency(l.DefaultCurrency) {
		l.reject("DEFAULT_CURRENCY")
	}
	if uri := string(l.MongoURI); uri != "" && !connectionString.MatchString(uri) {
		l.reject("MONGO_URI")
	}
	if _, err := netip.ParseAddr(l.MongoHost); l.MongoHost != "" && err != nil && !isHostName(l.MongoHost) {
		l.reject("MONGO_HOST")
	}
	l.checkSecrets()
	l.checkWire()
	l.need(l.SecretsRefresh == 0 || l.SecretsRefresh >= time.Second, "SECRETS_REFRESH",
		"SECRETS_REFRESH is too short: give a duration from 1s to 24h, or 0s for never")
	l.need(l.Events != "sqs" || l.EventsQueueURL != "", "EVENTS_QUEUE_URL", "EVENTS=sqs needs EVENTS_QUEUE_URL; give the URL of an SQS queue")
	l.need(l.ManifestKMSKeyID == "" || strings.HasPrefix(l.ManifestEncryption, "aws:kms"), "MANIFEST_KMS_KEY_ID",
		"MANIFEST_KMS_KEY_ID needs MANIFEST_ENCRYPTION; set that to aws:kms or aws:kms:dsse, or leave the key out")
	l.checkAuth()
	l.checkOTel()
	l.order(l.ReadHeaderTimeout <= l.ReadTimeout, "READ_HEADER_TIMEOUT", "not more", "READ_TIMEOUT")
	l.order(l.RequestTimeout < l.WriteTimeout, "REQUEST_TIMEOUT", "less", "WRITE_TIMEOUT")
	l.order(l.MaxBodyBytes <= l.MaxBatchBodyBytes, "MAX_BODY_BYTES", "not more", "MAX_BATCH_BODY_BYTES")
	l.order(l.MaxBatchBodyBytes <= l.MaxInFlightBytes, "MAX_BATCH_BODY_BYTES", "not more", "MAX_IN_FLIGHT_BYTES")
	l.order(l.DeliveryBackoffMin <= l.DeliveryBackoffMax, "DELIVERY_BACKOFF_MIN", "not more", "DELIVERY_BACKOFF_MAX")
}

// need objects to a setting that another one asks for, or asks in vain.
func (l *loading) need(right bool, name, problem string) {
	if !right && !l.unread && l.problems[name] == nil {
		l.object(name, errors.New(problem))
	}
}

// order objects to two settings that are right alone but not together.
func (l *loading) order(right bool, low, relation, high string) {
	if right || l.problems[low] != nil || l.problems[high] != nil {
		return
	}
	a, b := l.values[low], l.values[high]
	shown := variable{}.shown
	l.object(low, fmt.Errorf("%s=%s (%s) and %s=%s (%s): make the first %s than the second",
		low, shown(a), a.source, high, shown(b), b.source, relation))
}

// checkSecrets looks at each id that SECRETS_ID names.
func (l *loading) checkSecrets() {
	if l.SecretsID == "" {
		return
	}
	ids := strings.Split(l.SecretsID, ",")
	if len(ids) > maxSecrets || !areSecretIDs(ids) {
		l.reject(secretsID)
	}
}
