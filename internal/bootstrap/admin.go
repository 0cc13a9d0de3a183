package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"slices"
	"strings"
	"time"

	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/interfaces/connections"
	"order-processing-service/internal/interfaces/httpapi"
)

const (
	// maxAdminConnections is how many connections there are to the admin address.
	maxAdminConnections = 64
	// maxProfile is how long a profile may take.
	maxProfile = 5 * time.Minute
)

// admin is what operators have at an address of their own: health checks and metrics, which go on being answered when the API is
// full, and profiles. Nobody is asked who they are. Profiles, which may hold what is in memory, are given to programs on this machine
// only, whatever the address.
type admin struct {
	listener net.Listener
	server   *http.Server
}

// openAdmin listens at ADMIN_ADDR; nil if there is none. The address that nobody asked for may be taken, when there are
// several services on a machine: then this one does without.
func openAdmin(ctx context.Context, c *config.Config, handler http.Handler, log *slog.Logger) (*admin, error) {
	address, byDefault := c.AdminAddress()
	if address == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if byDefault && err != nil {
		log.WarnContext(ctx, "admin endpoints are not served; set ADMIN_ADDR to another address, or to off", "error", err)
		return nil, nil //nolint:nilnil // there is none
	}
	if err != nil {
		return nil, fmt.Errorf("listen on ADMIN_ADDR=%s: %w; choose another one, or off", address, err)
	}
	limited := connections.Limit(listener, connections.Limits{Max: maxAdminConnections, Log: log})
	return &admin{listener: limited, server: &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: c.ReadHeaderTimeout, ReadTimeout: c.ReadTimeout, WriteTimeout: maxProfile, IdleTimeout: c.IdleTimeout,
		MaxHeaderBytes: maxHeader, ConnState: limited.State,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}}, nil
}

// run serves until the admin address is closed.
func (a *admin) run(ctx context.Context, log *slog.Logger) {
	url := "http://" + a.listener.Addr().String()
	if !isLoopback(a.listener.Addr().String()) {
		log.WarnContext(ctx, "admin endpoints are open to whoever reaches ADMIN_ADDR; keep it from the public", "url", url)
	}
	log.InfoContext(ctx, "admin endpoints", "url", url)
	if err := a.server.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
		log.ErrorContext(ctx, "admin endpoints failed", "error", err)
	}
}

// close ends it at once: nothing there must be finished.
func (a *admin) close() error {
	if a == nil {
		return nil
	}
	err := a.server.Close()
	if closed := a.listener.Close(); !errors.Is(closed, net.ErrClosed) {
		err = errors.Join(err, closed)
	}
	return err
}

// adminHandler has the endpoints; without metrics there are none to see.
func adminHandler(health, metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	if metrics != nil {
		mux.Handle("GET /metrics", metrics)
	}
	mux.Handle("GET /health", health)
	mux.Handle("GET /health/", health)
	profiles := http.NewServeMux() // never the one that every package can add to
	profiles.HandleFunc("GET /debug/pprof/", pprof.Index)
	profiles.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	profiles.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	profiles.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	profiles.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
	profiles.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.Handle("/debug/pprof/", fromThisMachine(profiles))
	return plainAnswers(mux)
}

// fromThisMachine lets only programs on this machine in. A page in a browser there is none, though its request comes from there:
// such requests say which name was looked up, which could be anybody's, or that they come from a page.
func fromThisMachine(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		_, err = netip.ParseAddr(strings.Trim(host, "[]"))
		named := err != nil && host != "localhost"
		if !isLoopback(r.RemoteAddr) || named || r.Header.Get("Origin") != "" || fromAnotherSite(r) {
			http.Error(w, "profiles are for programs on this machine only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// fromAnotherSite tells whether a browser says that a page of another address asks. Requests for which that page may not see the
// answer, such as those for images, have no Origin.
func fromAnotherSite(r *http.Request) bool {
	site := r.Header.Values("Sec-Fetch-Site")
	return slices.ContainsFunc(site, func(s string) bool { return s != "none" && s != "same-origin" })
}

// plainAnswers has browsers take answers for what they say they are.
func plainAnswers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// isLoopback tells whether an address with a port is of this machine alone.
func isLoopback(address string) bool {
	a, err := netip.ParseAddrPort(address)
	return err == nil && a.Addr().Unmap().IsLoopback()
}

// healthOf is the health checks of these parts alone, past the limits on the API.
func (p *core) healthOf(log *slog.Logger) http.Handler {
	return httpapi.NewHealth(httpapi.Config{Orders: p.orders, Log: log, Version: Build().Version})
}
