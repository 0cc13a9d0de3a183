package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// maxHealthTimeout bounds --timeout, so that a check never outlives the patience of what called it by far.
const maxHealthTimeout = time.Minute

func newHealthcheck(commands Commands, streams Streams) *cobra.Command {
	var base string
	var live bool
	timeout := 3 * time.Second
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask a running service whether it is ready",
		Long: `Ask a running service whether it is ready to take orders (GET /health/ready). Exits 0 if it
is and 1 if not, for containers that have no shell. Without --url it asks the address that
the settings HOST and PORT name, and takes no certificate there but the one in TLS_CERT_FILE.

With --live it asks only whether the service answers at all (GET /health/live). That is the
check for whatever stops a container that fails it: a service whose store is away is not
ready, and starting it anew would not bring the store back.`,
		Example: `  orders healthcheck
  orders healthcheck --live
  orders healthcheck --url http://orders.example:8000 --timeout 1s`,
		Args: noArguments,
	}
	urlFlag(cmd.Flags(), &base, "base `URL` of the service (default from HOST and PORT)", "http://127.0.0.1:8000")
	cmd.Flags().BoolVar(&live, "live", false, "ask whether it answers, whatever its store does")
	cmd.Flags().Func("timeout", "longest `time` to wait, up to 1m (default 3s)", func(value string) (err error) {
		if timeout, err = time.ParseDuration(value); err != nil || timeout <= 0 || timeout > maxHealthTimeout {
			return errors.New("give a duration up to 1m, such as 3s")
		}
		return nil
	})
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		target := Target{URL: base}
		if base == "" {
			var err error
			if target, err = commands.Target(); err != nil {
				return err
			}
		}
		ctx, cancel := context.WithTimeoutCause(cmd.Context(), timeout, fmt.Errorf("no answer within %s", timeout))
		defer cancel()
		path := "ready"
		if live {
			path = "live"
		}
		if err := checkHealth(ctx, target, path); err != nil {
			return err
		}
		_, err := fmt.Fprintln(streams.Out, path)
		return err
	}
	return cmd
}

// checkHealth asks the service once whether it is "ready" or "live", past any proxy and without following redirects.
func checkHealth(ctx context.Context, service Target, what string) error {
	target, err := url.JoinPath(service.URL, "health", what)
	if err != nil {
		return usagef("--url %q: %w", service.URL, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return usagef("--url %q: %w", service.URL, err)
	}
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, TLSClientConfig: service.TLS},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		} else if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // the URL stands in the message already
		}
		return fmt.Errorf("not %s: GET %s: %w; is the service running there?", what, target, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("not %s: GET %s answered %s", what, target, response.Status)
	}
	return nil
}
