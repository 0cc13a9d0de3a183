package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// bareCommand, as the first argument, makes this program the server that the service is compared with: what net/http and
// encoding/json do by themselves. The address to listen on follows, then a file to serve.
const bareCommand = "bare-server"

// bareOrder has the fields of the bodies that are sent.
type bareOrder struct {
	CustomerID string     `json:"customer_id"`
	Reference  string     `json:"reference"`
	Items      []bareItem `json:"items"`
}

type bareItem struct {
	SKU       string  `json:"sku"`
	Quantity  int     `json:"quantity"`
	UnitPrice float64 `json:"unit_price"`
}

// serveBare serves until ctx ends.
func serveBare(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("give the address to listen on and the file to serve")
	}
	content, err := os.ReadFile(args[1]) //nolint:gosec // the program that starts this one names the file
	if err != nil {
		return fmt.Errorf("read what is to be served: %w", err)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", args[0])
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: bareHandler(content), ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
		if err := server.Close(); err != nil {
			return fmt.Errorf("stop: %w", err)
		}
		return nil
	}
}

// bareHandler decodes and echoes what is posted, and serves content as any order.
func bareHandler(content []byte) http.Handler {
	length := strconv.Itoa(len(content))
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+livePath, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "alive")
	})
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		var o bareOrder
		if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(&o)
	})
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", length)
		_, _ = w.Write(content) //nolint:gosec // it is JSON, and no browser is near
	})
	return mux
}
