// Package telemetry tells the outside what the service does. Here that is the log: JSON lines for machines; the packages below it
// have the rest.
package telemetry

import (
	"io"
	"log/slog"
)

// NewLogger returns a logger that writes one JSON object a line to w, whole lines in each call of w.Write: timestamp, level
// (DEBUG, INFO, WARNING or ERROR), message, service, version and what the caller adds. A line that is logged with a
// context also has its request_id, subject, trace_id and span_id, as package correlation put them there, and the trace's id in the
// form that AWS X-Ray has it, xray_trace_id; inside a group when the logger has one. Lines below level are left out. The logger may be
// used by any number of goroutines; w need not stand concurrent calls, and its errors are dropped.
//
// Values have the forms that slog's own JSON handler gives them, but that signs which nobody sees, or which turn around how others are
// seen, are escaped. One that has a method AppendJSON(dst []byte) []byte is trusted to append itself as one JSON value without a line
// break.
func NewLogger(w io.Writer, level slog.Leveler, service, version string) *slog.Logger {
	return slog.New(&handler{lines: &lines{w: w}, level: level}).With("service", service, "version", version)
}

// Patient returns the logger for lines that come by the thousand and that nobody waits for: those below WARNING are written
// together, 10 ms late at most, which spares a system call each. What log itself writes comes at once, in its order. log must
// be of NewLogger; another is returned as it is.
func Patient(log *slog.Logger) *slog.Logger {
	h, ok := log.Handler().(*handler)
	if !ok {
		return log
	}
	patient := *h
	patient.patient = true
	return slog.New(&patient)
}

// levelName names the highest of the four levels that l reaches; what lies below DEBUG is DEBUG as well.
func levelName(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "ERROR"
	case l >= slog.LevelWarn:
		return "WARNING"
	case l >= slog.LevelInfo:
		return "INFO"
	default:
		return "DEBUG"
	}
}
