package observability_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// patience bounds every wait for something that must happen.
const patience = 60 * time.Second

// build builds the program once for all tests.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "orders")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "orders")
	command := exec.Command("go", "build", "-trimpath", "-o", program, "./cmd/orders")
	command.Dir = "../.."
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		return string(output), err
	}
	return program, nil
})

// running is the program as a process.
type running struct {
	url, admin string
	client     *http.Client
}

// start starts a command of the program, and ends it with the test.
func start(t *testing.T, command, dir string, settings ...string) *running {
	t.Helper()
	program, err := build()
	if err != nil {
		t.Fatalf("%v\n%s", err, program)
	}
	ctx, stop := context.WithCancel(context.Background())
	process := exec.CommandContext(ctx, program, command)
	process.Dir = dir
	process.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "PORT=0", "ADMIN_ADDR=127.0.0.1:0", "DATA_DIR=" + filepath.Join(dir, "data"),
		"DELIVERY_POLL_INTERVAL=20ms", "DELIVERY_BACKOFF_MIN=1ms", "DELIVERY_MAX_ATTEMPTS=2",
	}, settings...)
	process.Cancel = func() error { return process.Process.Signal(os.Interrupt) }
	process.WaitDelay = patience
	output, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var problems bytes.Buffer
	process.Stderr = &problems
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan map[string]any, 1000)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
			var line map[string]any
			if json.Unmarshal(scanner.Bytes(), &line) != nil {
				continue
			}
			select {
			case lines <- line:
			default: // nobody reads on
			}
		}
		_, _ = io.Copy(io.Discard, output)
	}()
	r := &running{client: &http.Client{Timeout: patience}}
	t.Cleanup(func() {
		r.client.CloseIdleConnections()
		stop()
		_ = process.Wait() // by the signal
	})
	limit := time.After(patience)
	for r.url == "" || r.admin == "" {
		select {
		case line, ok := <-lines:
			if !ok {
				t.Fatalf("the program ended: %s", problems.String())
			}
			address, _ := line["url"].(string)
			switch line["message"] {
			case "listening":
				r.url = address
			case "admin endpoints":
				r.admin = address
			}
		case <-limit:
			t.Fatalf("the program does not listen: %s", problems.String())
		}
	}
	return r
}

// ask sends a request, and returns the status and the body.
func (r *running) ask(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := r.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// metric is one metric as it is emitted: the values that each of its labels has.
type metric map[string]map[string]bool

// scrape adds what /metrics says to all.
func (r *running) scrape(t *testing.T, all map[string]metric) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.admin+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := r.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for name, family := range families {
		names := []string{name}
		if family.GetType() == dto.MetricType_HISTOGRAM {
			names = []string{name + "_bucket", name + "_sum", name + "_count"}
		}
		for _, name := range names {
			if all[name] == nil {
				all[name] = metric{}
			}
			for _, sample := range family.GetMetric() {
				for _, pair := range sample.GetLabel() {
					if all[name][pair.GetName()] == nil {
						all[name][pair.GetName()] = map[string]bool{}
					}
					all[name][pair.GetName()][pair.GetValue()] = true
				}
			}
			if strings.HasSuffix(name, "_bucket") {
				all[name]["le"] = map[string]bool{"+Inf": true}
			}
		}
	}
}

// within scrapes until something is there.
func (r *running) within(t *testing.T, all map[string]metric, what string, there func() bool) {
	t.Helper()
	limit := time.After(patience)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		r.scrape(t, all)
		if there() {
			return
		}
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("%s did not come", what)
		}
	}
}

// queue makes a queue in the SQS at TEST_AWS_ENDPOINT_URL, and returns its address.
func queue(t *testing.T, name string) string {
	t.Helper()
	found := regexp.MustCompile(`<QueueUrl>(.*?)</QueueUrl>`).FindStringSubmatch(sqs(t, os.Getenv("TEST_AWS_ENDPOINT_URL"),
		url.Values{"Action": {"CreateQueue"}, "QueueName": {name}}))
	if found == nil {
		t.Fatal("no queue was made")
	}
	return found[1]
}

// sqs calls SQS in its old form, which asks for no library.
func sqs(t *testing.T, address string, form url.Values) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form.Encode())) //nolint:gosec // as below
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261128/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature=0")
	client := &http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	response, err := client.Do(request) //nolint:gosec // the tests say where SQS is
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v\n%s", form.Get("Action"), response.StatusCode, err, text)
	}
	return string(text)
}
