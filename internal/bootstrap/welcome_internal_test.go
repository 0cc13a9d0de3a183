package bootstrap

import (
	"bytes"
	"os"
	"testing"
)

func TestWelcomeIsForTerminalsOnly(t *testing.T) {
	var buffer bytes.Buffer
	welcome(&buffer, welcomeLine("http://127.0.0.1:8000", "./data"))
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	welcome(file, welcomeLine("http://127.0.0.1:8000", "./data"))
	if info, err := file.Stat(); err != nil || info.Size() != 0 || buffer.Len() != 0 {
		t.Errorf("something was written where no terminal is: %q, %v", buffer.String(), err)
	}
}

func TestWelcomeLine(t *testing.T) {
	const want = "Ready for orders: API http://[::1]:80/orders, docs http://[::1]:80/docs, data in ./data. Ctrl-C stops.\n"
	if got := welcomeLine("http://[::1]:80", "./data"); got != want {
		t.Errorf("got %q", got)
	}
}
