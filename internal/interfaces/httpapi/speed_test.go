package httpapi_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/store/memory"
	"order-processing-service/internal/infrastructure/telemetry/metrics"
	"order-processing-service/internal/interfaces/httpapi"
)

const threeLines = `{"customer_id":"c-4711","currency":"EUR","reference":"A-17","items":[` +
	`{"sku":"TEA-1","quantity":2,"unit_price":12.50,"name":"Green tea"},` +
	`{"sku":"CUP-2","quantity":1,"unit_price":3.95},{"sku":"POT-3","quantity":1,"unit_price":29.90}]}`

// fixed is a store that answers every read with one order and keeps nothing.
type fixed struct {
	ordering.Store
	order *order.Order
}

func (f *fixed) Get(context.Context, order.ID) (*order.Order, error) { return f.order, nil }

func (f *fixed) Create(_ context.Context, orders []ordering.NewOrder) []ordering.Created {
	return make([]ordering.Created, len(orders))
}

// handlers returns the API on a fixed store, and an order in its JSON form.
func handlers(b *testing.B) (http.Handler, string) {
	b.Helper()
	s := start(b, nil)
	id, err := order.ParseID(s.place(threeLines).ID)
	if err != nil {
		b.Fatal(err)
	}
	o, err := s.store.Get(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	m := memory.New().Open()
	log := slog.New(slog.NewJSONHandler(io.Discard, nil)) //nolint:sloglint // the lines are to cost what they cost
	measured, err := metrics.New(b.Context(), metrics.Config{Scraped: true})
	if err != nil {
		b.Fatal(err)
	}
	return httpapi.New(httpapi.Config{Orders: orders(m, &fixed{order: o}), Log: log, Meter: measured.HTTP()}), string(wire.AppendOrder(nil, o))
}

// The handler alone.

func BenchmarkReadHandler(b *testing.B) {
	api, _ := handlers(b)
	r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, nowhere, http.NoBody)
	b.ReportAllocs()
	for b.Loop() {
		api.ServeHTTP(httptest.NewRecorder(), r)
	}
}

func BenchmarkPlaceHandler(b *testing.B) {
	api, _ := handlers(b)
	body := strings.NewReader(threeLines)
	r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/orders", body)
	r.Header.Set("Content-Type", "application/json")
	b.ReportAllocs()
	for b.Loop() {
		body.Reset(threeLines)
		r.Body = io.NopCloser(body)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		if w.Code != http.StatusCreated {
			b.Fatal(w.Body)
		}
	}
}

// Over loopback, beside bare net/http that serves the same bytes.

func BenchmarkReadOverHTTP(b *testing.B) {
	api, text := handlers(b)
	b.Run("service", func(b *testing.B) { overHTTP(b, api, http.MethodGet, nowhere, "") })
	b.Run("bare", func(b *testing.B) {
		overHTTP(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, text)
		}), http.MethodGet, nowhere, "")
	})
}

func BenchmarkPlaceOverHTTP(b *testing.B) {
	api, _ := handlers(b)
	b.Run("service", func(b *testing.B) { overHTTP(b, api, http.MethodPost, "/orders", threeLines) })
	b.Run("bare", func(b *testing.B) {
		overHTTP(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var form wire.NewOrder
			if err := json.UnmarshalRead(r.Body, &form); err != nil {
				b.Error(err)
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusCreated)
			_ = json.MarshalWrite(w, &form)
		}), http.MethodPost, "/orders", threeLines)
	})
}

// overHTTP sends the same request over and over, on a connection for each of 16 goroutines.
func overHTTP(b *testing.B, handler http.Handler, method, path, body string) {
	b.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	request := method + " " + path + " HTTP/1.1\r\nHost: " + address + "\r\nContent-Type: application/json\r\n"
	if body != "" {
		request += "Content-Length: " + itoa(len(body)) + "\r\n"
	}
	request += "\r\n" + body
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		conn, err := new(net.Dialer).DialContext(b.Context(), "tcp", address)
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		answers := newAnswers(conn)
		for pb.Next() {
			if _, err := io.WriteString(conn, request); err != nil {
				b.Error(err)
				return
			}
			if err := answers.skip(); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// What the start of the program waits for.
func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		httpapi.New(httpapi.Config{})
	}
}
