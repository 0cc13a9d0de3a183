package bootstrap

import (
	"fmt"
	"io"

	"golang.org/x/term"
)

// welcome tells a person at a terminal, in one line, where everything is. Where w is no terminal it writes nothing: the log
// says it all. What cannot be written is left out, as the service runs all the same.
func welcome(w io.Writer, line string) {
	if isTerminal(w) {
		_, _ = io.WriteString(w, line)
	}
}

func welcomeLine(url, dataDir string) string {
	return fmt.Sprintf("Ready for orders: API %s/orders, docs %[1]s/docs, data in %s. Ctrl-C stops.\n", url, dataDir)
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(file.Fd()))
}
