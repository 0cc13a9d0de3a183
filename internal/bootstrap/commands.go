package bootstrap

import (
	"context"
	"errors"
	"os"

	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/domain/money"
	"order-processing-service/internal/infrastructure/certificates"
	"order-processing-service/internal/interfaces/cli"
)

// Commands is the work behind the command line.
func Commands() cli.Commands {
	return cli.Commands{
		Serve:    serve,
		Worker:   work,
		Import:   importOrders,
		Copy:     copyOrders,
		Migrate:  migrate,
		Indexes:  indexes,
		NewKey:   newKey,
		Token:    token,
		Settings: settings,

		DeadLetters: deadLetters,
		Redrive:     redriveDeadLetters,

		Target: target,
		Admin:  adminURL,
		Build:  Build(),
	}
}

// load is Load for a program started from the command line.
func load(ctx context.Context, overrides map[string]string) (*config.Config, error) {
	return Load(ctx, commandLine(overrides))
}

// commandLine is where a program started from the command line looks for its settings.
func commandLine(overrides map[string]string) config.Source {
	return config.Source{Flags: overrides, Environ: os.Environ(), EnvFile: ".env", ValidCurrency: knownCurrency}
}

func knownCurrency(code string) bool {
	_, err := money.CurrencyOf(code)
	return err == nil
}

func settings(ctx context.Context, overrides map[string]string) ([]cli.Setting, error) {
	c, err := load(ctx, overrides)
	if err != nil {
		return nil, err
	}
	var all []cli.Setting
	for _, s := range c.Settings() {
		all = append(all, cli.Setting(s))
	}
	return all, nil
}

// target is where the service of this configuration is reached; with PORT=0 nobody can know. Secrets are not read: a health
// check runs every few seconds, and must not depend on AWS.
func target() (cli.Target, error) {
	c, err := config.Load(commandLine(nil))
	if err != nil {
		return cli.Target{}, cli.UsageError{Err: err}
	}
	if c.Port == 0 {
		return cli.Target{}, cli.UsageError{Err: errors.New("PORT is 0, so the service chose its own port: say where it is with --url")}
	}
	t := cli.Target{URL: c.URL(c.Port)}
	if c.UsesTLS() {
		if t.TLS, err = certificates.Own(certificateFiles(c)); err != nil {
			return cli.Target{}, cli.UsageError{Err: err}
		}
	}
	return t, nil
}

// adminURL is where the admin address of the service of this configuration is reached, without its secrets as for target.
func adminURL() (string, error) {
	c, err := config.Load(commandLine(nil))
	if err != nil {
		return "", cli.UsageError{Err: err}
	}
	url, err := c.AdminURL()
	if err != nil {
		return "", cli.UsageError{Err: err}
	}
	return url, nil
}
