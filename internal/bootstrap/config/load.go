package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/caarlos0/env/v11"
)

// Source says where Load looks. The zero Source gives the defaults.
type Source struct {
	// Flags are values from the command line, by variable name. They win over everything. The flag for a variable has its
	// name in lower case with hyphens: --data-dir for DATA_DIR.
	Flags map[string]string
	// Environ is the environment in the form of os.Environ.
	Environ []string
	// EnvFile is the path of the .env file; empty for none. A file that does not exist is no error.
	EnvFile string
	// ValidCurrency tells whether a currency code is one that the service knows; nil takes any three capitals.
	ValidCurrency func(code string) bool
	// Secrets reads what MONGO_SECRET_ID and SECRETS_ID name. It is not called when they name nothing; nil leaves secrets
	// unread, and lets pass that something may be missing that one of them holds.
	Secrets Secrets
}

// Load reads and checks all settings. Its error joins everything that is wrong, one line a problem, in the order of
// Config's fields; it says what would be right and never shows a secret.
func Load(src Source) (*Config, error) {
	dotenv, err := envFile(src.EnvFile)
	if err != nil {
		return nil, err // without the file every other complaint may be wrong
	}
	above := []layer{{source: flagSource, values: src.Flags}, environment(src.Environ), dotenv}
	warnings := misspelled(dotenv, variables())
	var load func(read Secrets) (*Config, error)
	load = func(read Secrets) (*Config, error) {
		c, err := loadFrom(above, read, src.ValidCurrency)
		if err != nil {
			return nil, err
		}
		c.reload = load
		c.warnings = append(slices.Clone(warnings), c.warnings...)
		return c, nil
	}
	return load(src.Secrets)
}

// loadFrom is Load for layers that were read already.
func loadFrom(above []layer, read Secrets, validCurrency func(string) bool) (*Config, error) {
	l := loading{
		Config:   &Config{},
		table:    variables(),
		problems: make(map[string]error),
	}
	l.resolve(above...)
	secrets, err := l.secretLayers(read)
	if err != nil {
		return nil, err // as without the .env file
	}
	if len(secrets) > 0 {
		l.keepHost(secrets)
		l.resolve(slices.Concat(above, secrets)...)
	}
	if err := l.parse(); err != nil {
		return nil, err
	}
	l.check(validCurrency)

	var problems []error
	for _, v := range l.table {
		if err := l.problems[v.name]; err != nil {
			problems = append(problems, err)
		}
		l.settings = append(l.settings, v.setting(l.values[v.name]))
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	l.text = func(name string) given { return l.values[name] }
	return l.Config, nil
}

// loading is a Config in the making.
type loading struct {
	*Config
	table    []variable
	values   map[string]given // by variable name
	unread   bool             // there are secrets, but nobody to read them
	problems map[string]error // by variable name; the first one found stands
}

// resolve finds the text of each variable. One that cannot be had gets its default, so that reading goes on.
func (l *loading) resolve(layers ...layer) {
	l.values = make(map[string]given, len(l.table))
	for _, v := range l.table {
		value, err := resolve(v, layers)
		if err != nil {
			value = given{value: Secret(v.byDefault), source: sourceDefault}
			l.problems[v.name] = err
		}
		l.values[v.name] = value
	}
}

// parse fills the fields, and rejects those whose text is not of the field's type or outside what its tags allow. Its
// error means that the table itself is broken.
func (l *loading) parse() error {
	texts := make(map[string]string, len(l.values))
	for name, value := range l.values {
		texts[name] = string(value.value)
	}
	unparsed := make(map[string]bool)
	if err := env.ParseWithOptions(l.Config, env.Options{Environment: texts}); err != nil {
		aggregate, ok := errors.AsType[env.AggregateError](err)
		if !ok {
			return fmt.Errorf("read settings: %w", err)
		}
		for _, err := range aggregate.Errors {
			parse, ok := errors.AsType[env.ParseError](err)
			if !ok {
				return fmt.Errorf("read settings: %w", err)
			}
			unparsed[parse.Name] = true
		}
	}
	fields := reflect.ValueOf(l.Config).Elem()
	for _, v := range l.table {
		if unparsed[fields.Type().Field(v.field).Name] || !v.accepts(fields.Field(v.field)) {
			l.reject(v.name)
		}
	}
	return nil
}

// reject notes that the value of a variable is not allowed, and what would be.
func (l *loading) reject(name string) {
	for _, v := range l.table {
		if v.name == name {
			value := l.values[name]
			l.object(name, fmt.Errorf("%s (%s): %s", v.quoted(value), value.source, v.advice()))
		}
	}
}

// object notes a problem of a variable that has none yet.
func (l *loading) object(name string, problem error) {
	if l.problems[name] == nil {
		l.problems[name] = problem
	}
}
