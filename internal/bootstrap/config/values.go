package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// mask stands where the value of a secret would.
const mask = "****"

// Secret is text that must not be seen: every way of printing, logging or encoding it gives ****. Convert it to a string
// where it is used.
type Secret string

// Format implements fmt.Formatter, for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// MarshalText implements encoding.TextMarshaler, which JSON and slog use too. It never fails.
func (Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

// LogLevel is a slog.Level read from one of DEBUG, INFO, WARNING (or WARN) and ERROR, in any case.
type LogLevel slog.Level

// Level implements slog.Leveler.
func (l LogLevel) Level() slog.Level { return slog.Level(l) }

// UnmarshalText implements encoding.TextUnmarshaler. It fails on any other text.
func (l *LogLevel) UnmarshalText(text []byte) error {
	switch strings.ToUpper(string(text)) {
	case "DEBUG":
		*l = LogLevel(slog.LevelDebug)
	case "INFO":
		*l = LogLevel(slog.LevelInfo)
	case "WARNING", "WARN":
		*l = LogLevel(slog.LevelWarn)
	case "ERROR":
		*l = LogLevel(slog.LevelError)
	default:
		return errors.New("unknown log level")
	}
	return nil
}
