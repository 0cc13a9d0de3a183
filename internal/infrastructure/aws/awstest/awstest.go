// Package awstest helps to test what speaks to AWS: a server that speaks AWS's JSON protocol, so that the SDK runs as a
// whole, and messages to deliver.
package awstest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/go-json-experiment/json"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/domain/order"
)

// Handler answers an operation, such as "PutEvents", with the JSON of its answer. A status of 0 drops the connection.
type Handler func(operation string, body []byte) (status int, answer any)

// Refusal is the answer of a call that failed.
func Refusal(code string) any {
	return map[string]string{"__type": code, "message": "as the test wants it"}
}

// Serve starts a server on loopback, stopped with the test, and returns the SDK's settings for it.
func Serve(t testing.TB, handle Handler) aws.Config {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the request: %v", err)
		}
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		status, answer := handle(operation, body)
		if status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		w.WriteHeader(status)
		if err := json.MarshalWrite(w, answer); err != nil {
			t.Errorf("write the answer: %v", err)
		}
	}))
	t.Cleanup(server.Close)
	return Config(server.URL)
}

// Config returns the SDK's settings for a server at the address. A call is tried once.
func Config(url string) aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: &url,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
		Retryer:     func() aws.Retryer { return retry.AddWithMaxAttempts(retry.NewStandard(), 1) },
	}
}

// Time is when orders of this package are made.
func Time() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 120_000_000, time.UTC) }

// Message is the news of an order: its first event and changes more.
func Message(t testing.TB, number, changes int) delivery.Message {
	t.Helper()
	return Large(t, number, changes, 1)
}

// Large is Message of an order with so many lines, each of about 500 bytes in its event.
func Large(t testing.TB, number, changes, lines int) delivery.Message {
	t.Helper()
	name := "Green tea"
	if lines > 1 {
		name = strings.Repeat("x", 255)
	}
	items := make([]order.DraftItem, lines)
	for i := range items {
		items[i] = order.DraftItem{SKU: "TEA" + strings.Repeat("0", 61), Name: name, Quantity: 2, UnitPrice: "12.50"}
	}
	stamp := order.Stamp{Time: Time(), Actor: "tester", Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
	id := order.ID{0x67, 10: byte(number), 11: 1} //nolint:gosec // it is small
	o, err := order.New(id, order.Draft{CustomerID: "c-1", Currency: "EUR", Items: items}, "", stamp)
	if err != nil {
		t.Fatalf("make an order: %v", err)
	}
	events := o.Events()
	for n := range changes {
		if o, err = order.Restore(o.Snapshot()); err != nil {
			t.Fatalf("read it back: %v", err)
		}
		note := strconv.Itoa(n)
		if err := o.PatchMetadata(map[string]*string{"note": &note}, stamp); err != nil {
			t.Fatalf("change it: %v", err)
		}
		events = append(events, o.Events()...)
	}
	return delivery.Message{Order: o, Events: events}
}
