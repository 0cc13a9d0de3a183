package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"order-processing-service/internal/application/receiving"
	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/infrastructure/certificates"
	"order-processing-service/internal/infrastructure/telemetry"
	"order-processing-service/internal/interfaces/cli"
	"order-processing-service/internal/interfaces/lambdafn"
)

// Service is the program behind the serve and worker commands as a value: Open it, Run it.
type Service struct {
	*core

	worker       *receiving.Worker // nil in the serve command, as what follows
	received     *receiving.Service
	endTally     func() // nil until the start
	server       *http.Server
	listener     net.Listener
	certificates *certificates.Certificates // nil without TLS
	admin        *admin                     // nil without an address
	abort        context.CancelFunc         // ends requests that a stop can't wait for
}

// Open makes the service: it opens the store and listens, so that its address is known, but answers
// nothing yet; ctx is for that only. Log lines go to out. The error says in one line what to do. A service that was opened
// must be run, or closed.
func Open(ctx context.Context, c *config.Config, out io.Writer) (*Service, error) {
	if err := refuseUnsafe(c, false); err != nil {
		return nil, err
	}
	return open(ctx, c, out, func(s *Service) (http.Handler, error) {
		if err := s.openIdentity(ctx); err != nil {
			return nil, err
		}
		return s.api(telemetry.Patient(s.log)), nil
	})
}

// open makes a service that answers with what handler returns.
func open(ctx context.Context, c *config.Config, out io.Writer, handler func(*Service) (http.Handler, error)) (_ *Service, err error) {
	s := new(Service)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.core, err = openCore(ctx, c, out, false); err != nil {
		return nil, err
	}
	if s.certificates, err = openCertificates(c, s.log); err != nil {
		return nil, err
	}
	answer, err := handler(s)
	if err != nil {
		return nil, err
	}
	if s.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", c.Address()); err != nil {
		return nil, fmt.Errorf("listen on %s: %w; choose another HOST or PORT", c.Address(), err)
	}
	if s.admin, err = openAdmin(ctx, c, adminHandler(s.healthOf(telemetry.Patient(s.log)), s.metrics.Handler()), s.log); err != nil {
		return nil, err
	}
	requests, abort := context.WithCancel(context.WithoutCancel(ctx))
	s.abort = abort
	s.server = newServer(requests, c, answer, s.log)
	return s, nil
}

// URL is where a program on this machine reaches the service.
func (s *Service) URL() string {
	port := 0
	if address, ok := s.listener.Addr().(*net.TCPAddr); ok {
		port = address.Port
	}
	return s.config.URL(port)
}

// Run serves until ctx ends, then stops in order: no new commands, no new requests, those under way finished, the
// dispatcher drained, the store closed, within SHUTDOWN_TIMEOUT. What is left undone is told at the
// next start. It is called once.
func (s *Service) Run(ctx context.Context) error {
	s.start(ctx)
	if s.certificates != nil {
		looks, stop := context.WithCancel(context.WithoutCancel(ctx))
		defer stop()
		go refresh(looks, renewCertificates, s.certificates.Renew)
	}
	if s.worker != nil {
		s.worker.Start(ctx)
		s.endTally = tally(ctx, s.received)
	}
	if s.admin != nil {
		go s.admin.run(ctx, s.log)
	}
	incoming, failed := s.incoming(), make(chan error, 1)
	go func() { failed <- s.server.Serve(incoming) }()
	s.log.InfoContext(ctx, "listening", "url", s.URL(), "store", s.store.place, "data_dir", s.config.DataDir, "pid", os.Getpid())
	select {
	case err := <-failed:
		s.log.ErrorContext(ctx, "serving failed", "error", err)
		return errors.Join(fmt.Errorf("serve: %w", err), s.Close())
	case <-ctx.Done():
	}
	s.log.InfoContext(ctx, "stopping", "timeout", s.config.ShutdownTimeout.String())
	started := time.Now()
	err := s.Close()
	s.log.InfoContext(ctx, "stopped", "duration_ms", time.Since(started).Milliseconds())
	return err
}

// Close ends what Open made, in the order in which the parts depend on each other. Parts that were
// never made are passed over; closing twice does nothing.
func (s *Service) Close() error {
	if s.core == nil {
		return nil
	}
	timeout := s.config.ShutdownTimeout
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if s.worker != nil {
		commands, done := context.WithTimeout(ctx, timeout/2)
		s.worker.Stop(commands)
		done()
		if s.endTally != nil {
			s.endTally()
		}
	}
	var errs []error
	if s.server != nil {
		// The last quarter of the time is kept for what comes after the requests.
		requests, done := context.WithTimeout(ctx, timeout*3/4)
		if err := s.server.Shutdown(requests); err != nil {
			s.abort()
			errs = append(errs, fmt.Errorf("some requests were cut off by the stop: %w", err), s.server.Close())
		}
		done()
		s.abort()
	}
	if s.listener != nil {
		if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, s.admin.close(), s.close(ctx))...)
}

// serve is the work behind the serve command.
func serve(ctx context.Context, streams cli.Streams, o cli.ServeOptions) error {
	if api := os.Getenv(lambdafn.RuntimeVariable); api != "" {
		return serveLambda(ctx, api, streams.Out, o.Overrides)
	}
	c, err := load(ctx, o.Overrides)
	if err != nil {
		return err
	}
	return run(ctx, streams, c, Open, welcomeLine)
}

// run opens the program and runs it until ctx ends. A person at a terminal is told of it in the line that hello makes.
func run(
	ctx context.Context, streams cli.Streams, c *config.Config,
	open func(context.Context, *config.Config, io.Writer) (*Service, error), hello func(url, place string) string,
) error {
	tuneCollector()
	s, err := open(ctx, c, streams.Out)
	if err != nil {
		return err
	}
	slog.SetDefault(s.log) // what libraries say goes to the log too
	for _, warning := range c.Warnings() {
		s.log.WarnContext(ctx, "setting is not used", "hint", warning)
	}
	welcome(streams.Err, hello(s.URL(), s.store.place))
	return s.Run(ctx)
}
