package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/joho/godotenv"
)

// maxValueFile bounds what is read from the file that a NAME_FILE names, in bytes.
const maxValueFile = 64 << 10

// Sources that are not the name of a layer.
const (
	sourceDefault = "default"
	flagSource    = "" // each flag is a source of its own
)

// layer is one of the places where a variable may be set.
type layer struct {
	source string // how people call it, for example ".env"
	values map[string]string
	secret bool // none of the values may be shown
}

// given is the value of a variable as text, and where it came from.
type given struct {
	value  Secret // of some variables it is
	source string
	secret bool // it came from a secret
	file   bool // it came from a file that NAME_FILE names
}

// resolve finds the value of a variable in the first layer that has it.
func resolve(v variable, layers []layer) (given, error) {
	for _, l := range layers {
		value, set := l.values[v.name]
		source := l.source
		if source == flagSource {
			source = "flag --" + strings.ReplaceAll(strings.ToLower(v.name), "_", "-")
		}
		path := l.values[v.name+"_FILE"]
		switch {
		case path != "" && value != "":
			return given{}, fmt.Errorf("%s and %[1]s_FILE are both set (%s): keep one of them", v.name, source)
		case path != "":
			value, err := readValue(v, path)
			if err != nil {
				return given{}, fmt.Errorf("%s_FILE=%q (%s): %w", v.name, path, source, err)
			}
			return given{value: Secret(value), source: fmt.Sprintf("file %s named by %s_FILE", path, v.name), file: true}, nil
		case set && (value != "" || v.keepEmpty):
			return given{value: Secret(value), source: source, secret: l.secret}, nil
		case set:
			return given{value: Secret(v.byDefault), source: sourceDefault}, nil
		}
	}
	return given{value: Secret(v.byDefault), source: sourceDefault}, nil
}

// readValue reads the file that NAME_FILE names.
func readValue(v variable, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", unreadable(v, err)
	}
	defer f.Close() //nolint:errcheck // what was only read has nothing to lose
	content, err := io.ReadAll(io.LimitReader(f, maxValueFile+1))
	if err != nil {
		return "", unreadable(v, err)
	}
	if len(content) > maxValueFile {
		return "", fmt.Errorf("the file is larger than %d bytes: name a file that holds the value alone", maxValueFile)
	}
	content = bytes.TrimSuffix(content, []byte("\n"))
	content = bytes.TrimSuffix(content, []byte("\r"))
	if len(content) == 0 && !v.keepEmpty {
		return "", errors.New("the file is empty: write the value into it")
	}
	return string(content), nil
}

func unreadable(v variable, err error) error {
	return fmt.Errorf("the file cannot be read (%w): name a readable file or unset %s_FILE", reason(err), v.name)
}

// reason is the error without the operation and the path, which the message names already.
func reason(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}

// environment turns the form of os.Environ into a layer.
func environment(environ []string) layer {
	values := make(map[string]string, len(environ))
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok {
			values[name] = value
		}
	}
	return layer{source: "environment", values: values}
}

// envFile reads a .env file; one that is not there is an empty layer. The library's own error is kept back because it
// quotes the file, which may hold secrets.
func envFile(path string) (layer, error) {
	l := layer{source: path}
	if path == "" {
		return l, nil
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, fmt.Errorf("%s cannot be read (%w): make it a readable file or move it away", path, reason(err))
	}
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")) // a byte-order mark, as some editors write
	if l.values, err = godotenv.UnmarshalBytes(content); err != nil {
		return l, fmt.Errorf("%s line %d is not understood: write NAME=value, in single quotes if the value has spaces, quotes, # or $",
			path, faultyLine(content))
	}
	return l, nil
}

// faultyLine is the number of the first line that no reading of the file gets past.
func faultyLine(content []byte) int {
	lines := bytes.SplitAfter(content, []byte("\n"))
	for n := len(lines) - 1; n > 0; n-- {
		if _, err := godotenv.UnmarshalBytes(bytes.Join(lines[:n], nil)); err == nil {
			return n + 1
		}
	}
	return 1
}
