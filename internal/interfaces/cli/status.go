package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"order-processing-service/internal/interfaces/cli/status"
)

const (
	// firstInterval is how long rates are measured for the first report, and for the only one.
	firstInterval = time.Second
	// defaultWatch is how often --watch looks anew; minWatch and maxWatch bound it.
	defaultWatch, minWatch, maxWatch = 2 * time.Second, 200 * time.Millisecond, time.Hour
	// statusTimeout bounds each look.
	statusTimeout = 5 * time.Second
	// usualHeight is how many lines a terminal has that does not say.
	usualHeight = 24
)

func newStatus(commands Commands, streams Streams) *cobra.Command {
	s := statusRun{streams: streams, now: time.Now, wait: waitFor}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show on one screen how a running service is",
		Long: `Show on one screen how a running service is: whether it is ready, what is asked of it and how
fast it answers, what waits, and how far each subscriber is. It asks the admin address of the
service (GET /health, /health/ready and /metrics), twice within a second, as rates need that.
Without --url it asks the address that the setting ADMIN_ADDR names.

With --watch it goes on until it is stopped, and shows rates from one look to the next.
Exits 0 if the service is ready (with --watch, was ready when last looked at), 1 if not or if
nobody answers, and 2 if who answers has no metrics.`,
		Example: `  orders status
  orders status --watch
  orders status --url http://10.0.0.7:9464 --watch=10s --json`,
		Args: noArguments,
	}
	urlFlag(cmd.Flags(), &s.url, "admin `URL` of the service (default from ADMIN_ADDR)", "http://127.0.0.1:9464")
	cmd.Flags().BoolVar(&s.json, "json", false, "write one JSON object; with --watch, one a line")
	cmd.Flags().Func("watch", "go on, with a look each `time` (2s if none is given)", func(value string) (err error) {
		if s.watch, err = time.ParseDuration(value); err != nil || s.watch < minWatch || s.watch > maxWatch {
			return errors.New("give a duration from 200ms to 1h, such as --watch=2s")
		}
		return nil
	})
	cmd.Flags().Lookup("watch").NoOptDefVal = defaultWatch.String()
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if s.url == "" {
			var err error
			if s.url, err = commands.Admin(); err != nil {
				return err
			}
		}
		return s.run(cmd.Context())
	}
	return cmd
}

// statusRun is one run of the command.
type statusRun struct {
	streams Streams
	url     string
	json    bool
	watch   time.Duration // 0 for a single report
	now     func() time.Time
	wait    func(context.Context, time.Duration) error

	screen status.Screen
}

func (s *statusRun) run(ctx context.Context) error {
	service, err := status.NewService(s.url, statusTimeout, s.now)
	if err != nil {
		return usagef("--url %q: %w", s.url, err)
	}
	defer service.Close()
	earlier, err := service.Look(ctx)
	if err != nil {
		return lookError(err)
	}
	now := earlier
	if now.Live() { // else there is nothing to measure rates of
		if now, err = s.next(ctx, service, firstInterval); err != nil {
			return lookError(err)
		}
	}
	for {
		report := service.Report(earlier, now)
		if err := s.show(report); err != nil {
			return err
		}
		if s.watch == 0 {
			return verdict(report)
		}
		earlier = now
		if now, err = s.next(ctx, service, s.watch); err != nil {
			return verdict(report) // it was stopped
		}
	}
}

// next looks again after a pause. The error says that ctx has ended.
func (s *statusRun) next(ctx context.Context, service *status.Service, pause time.Duration) (*status.Look, error) {
	if err := s.wait(ctx, pause); err != nil {
		return nil, err
	}
	look, err := service.Look(ctx)
	if look != nil {
		return look, nil // if somebody else answers there now, it may be the service again soon
	}
	return nil, err
}

// show writes a report. What can't be reached at all has no screen, unless somebody waits for it to come back.
func (s *statusRun) show(r *status.Report) error {
	switch {
	case s.json && s.watch > 0:
		if err := json.MarshalWrite(s.streams.Out, r, json.Deterministic(true)); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
		fmt.Fprintln(s.streams.Out)
	case s.json:
		return printJSON(s.streams.Out, r)
	case r.Live || s.watch > 0:
		file, ok := s.streams.Out.(interface{ Fd() uintptr })
		if terminal := ok && term.IsTerminal(int(file.Fd())); terminal { // whose size may have changed
			s.screen.Color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
			if s.watch > 0 {
				_, height, _ := term.GetSize(int(file.Fd()))
				s.screen.Redraw = cmp.Or(height, usualHeight)
			}
		}
		return s.screen.Show(s.streams.Out, r)
	}
	return nil
}

// verdict is an error unless the service is ready.
func verdict(r *status.Report) error {
	switch {
	case !r.Live:
		return fmt.Errorf("not live: %s", r.Reason)
	case !r.Ready:
		return fmt.Errorf("not ready: %s", r.Reason)
	}
	return nil
}

// lookError says whose error it is that nothing could be looked at.
func lookError(err error) error {
	switch _, wrong := errors.AsType[*status.WrongAddressError](err); {
	case wrong:
		return UsageError{err}
	case errors.Is(err, context.Canceled):
		return errors.New("it was stopped before there was anything to show")
	}
	return err
}

// waitFor waits for d, or until ctx ends.
func waitFor(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
