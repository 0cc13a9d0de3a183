package bootstrap

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/infrastructure/certificates"
	"order-processing-service/internal/interfaces/connections"
	"order-processing-service/internal/interfaces/httpapi"
	"order-processing-service/internal/interfaces/httpapi/clients"
	"order-processing-service/internal/interfaces/httpapi/ratelimit"
)

const (
	// maxHeader is how much of an address and headers a request may have, in bytes.
	maxHeader = 64 << 10
	// renewCertificates is the pause between two looks at the files of certificates.
	renewCertificates = 2 * time.Second
	// maxStreams is how many requests an HTTP/2 connection may have under way.
	maxStreams = 128
	// restPart is the part of IDLE_TIMEOUT that a connection may rest: one that rests is idle, and is not to be closed for that.
	restPart = 2
)

// newServer makes the server of a handler. The end of requests ends all of them.
func newServer(requests context.Context, c *config.Config, handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           connections.Wake(handler),
		ReadHeaderTimeout: c.ReadHeaderTimeout, ReadTimeout: c.ReadTimeout,
		WriteTimeout: c.WriteTimeout, IdleTimeout: c.IdleTimeout,
		MaxHeaderBytes: maxHeader,
		HTTP2:          &http.HTTP2Config{MaxConcurrentStreams: maxStreams, WriteByteTimeout: c.WriteTimeout},
		// OPTIONS * is answered as every other request that is not served.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		BaseContext:                  func(net.Listener) context.Context { return requests },
		ConnContext:                  connections.Context,
	}
}

// incoming is the connections that the server serves.
func (s *Service) incoming() net.Listener {
	c := s.config
	most := connectionsWithin(c.MaxConnections, openFiles())
	if most < c.MaxConnections {
		s.log.WarnContext(context.Background(), "the process may not open as many files as MAX_CONNECTIONS; raise its limit (ulimit -n)",
			"max_connections", most)
	}
	proxies := clients.Proxies(c.Proxies())
	if c.TrustProxy && len(proxies) == 0 {
		s.log.WarnContext(context.Background(), "TRUST_PROXY is set, but TRUSTED_PROXIES is not; all clients count as one")
	}
	limited := connections.Limit(s.listener, connections.Limits{
		Max: most, PerNetwork: c.MaxConnectionsPerAddress, Release: s.release, Log: s.log,
		Network: func(address netip.Addr) (netip.Prefix, bool) {
			return clients.Network(address), !proxies.Trusts(address)
		},
	})
	s.server.ConnState = limited.State
	s.metrics.ObserveConnections(limited.Count, limited.Resting)
	var listener net.Listener = limited
	if s.certificates != nil {
		listener = connections.Secure(limited, s.certificates.Config(), c.ReadHeaderTimeout, s.log)
	}
	return httpapi.AnswerUnread(listener, s.log)
}

// keptFiles is how many open files are kept for what is not a connection to the API.
const keptFiles = 512

// connectionsWithin is how many connections there may be when the process may have so many files open; 0 for any number. A
// process without a file to open can't keep orders either.
func connectionsWithin(asked int, files uint64) int {
	if files == 0 || files >= uint64(asked)+keptFiles { //nolint:gosec // it is not negative
		return asked
	}
	return max(min(asked, int(max(files/2, files-min(files, keptFiles)))), 1) //nolint:gosec // it is less than asked and some
}

// openCertificates reads the files that the settings name; nil without any.
func openCertificates(c *config.Config, log *slog.Logger) (*certificates.Certificates, error) {
	if !c.UsesTLS() {
		return nil, nil //nolint:nilnil // there are none
	}
	return certificates.Open(certificateFiles(c), log)
}

func certificateFiles(c *config.Config) certificates.Files {
	return certificates.Files{Cert: c.TLSCertFile, Key: c.TLSKeyFile, ClientCA: c.TLSClientCAFile}
}

// newLimiter makes what bounds the requests of each caller; nil for no bound.
func newLimiter(r config.RateLimit) *ratelimit.Limiter {
	if r.Requests == 0 {
		return nil
	}
	return ratelimit.New(ratelimit.Config{Requests: r.Requests, Period: r.Period, Burst: r.Burst})
}
