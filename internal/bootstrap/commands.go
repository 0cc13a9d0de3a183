package bootstrap

import (
	"errors"
	"os"

	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/domain/money"
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
		Settings: settings,

		DeadLetters: deadLetters,
		Redrive:     redriveDeadLetters,

		BaseURL: baseURL,
		Build:   Build(),
	}
}

// load reads the configuration of a program started from the command line. A wrong setting is a usage error.
func load(overrides map[string]string) (*config.Config, error) {
	c, err := config.Load(config.Source{
		Flags:         overrides,
		Environ:       os.Environ(),
		EnvFile:       ".env",
		ValidCurrency: knownCurrency,
	})
	if err != nil {
		return nil, cli.UsageError{Err: err}
	}
	return c, nil
}

func knownCurrency(code string) bool {
	_, err := money.CurrencyOf(code)
	return err == nil
}

func settings(overrides map[string]string) ([]cli.Setting, error) {
	c, err := load(overrides)
	if err != nil {
		return nil, err
	}
	var all []cli.Setting
	for _, s := range c.Settings() {
		all = append(all, cli.Setting(s))
	}
	return all, nil
}

// baseURL is where the service of this configuration is reached; with PORT=0 nobody can know.
func baseURL() (string, error) {
	c, err := load(nil)
	if err != nil {
		return "", err
	}
	if c.Port == 0 {
		return "", cli.UsageError{Err: errors.New("PORT is 0, so the service chose its own port: say where it is with --url")}
	}
	return c.URL(c.Port), nil
}
