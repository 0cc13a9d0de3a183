package config_test

import (
	"fmt"
	"strings"
	"testing"

	"order-processing-service/internal/bootstrap/config"
)

// TestEveryProblemAtOnce holds the words of the messages in a golden file.
func TestEveryProblemAtOnce(t *testing.T) {
	inFolder(t, map[string]string{
		".env":      "HOST=http://localhost\nLOG_LEVEL=loud\nDATA_DIR=x\nIDLE_TIMEOUT=120\nMANIFEST_BUCKET=../up\n",
		"empty.txt": "\n",
		"uri.txt":   "mongo://root:hunter2@db\n",
		"big.txt":   strings.Repeat("9", 65<<10),
	})
	_, err := config.Load(config.Source{
		EnvFile: ".env",
		Flags:   map[string]string{"PORT": "70000"},
		Environ: []string{
			"DEFAULT_CURRENCY=usd",
			"SHUTDOWN_TIMEOUT=-1s",
			"READ_HEADER_TIMEOUT=1m",
			"MAX_BODY_BYTES=1MiB",
			"MAX_CONCURRENT_REQUESTS=99999999999999999999",
			"STORE_QUEUE_SIZE=1.5",
			"DELIVERY_LEASE_FILE=missing.txt",
			"DELIVERY_POLL_INTERVAL=soon",
			"DELIVERY_MAX_ATTEMPTS_FILE=empty.txt",
			"DELIVERY_WORKERS_FILE=big.txt",
			"DELIVERY_BACKOFF_MIN=10m",
			"EVENT_BUS_NAME=" + strings.Repeat("bus ", 80),
			"MONGO_URI_FILE=uri.txt",
			"MONGO_HOST=localhost:27017",
			"MONGO_DB=a.b",
			"MONGO_TLS=maybe",
			"MONGO_PORT=two\nlines",
			"MONGO_PASSWORD=hunter2",
			"MONGO_PASSWORD_FILE=uri.txt",
		},
	})
	if err == nil {
		t.Fatal("no error")
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Error("a secret is shown")
	}
	golden(t, "problems.golden", err.Error()+"\n")
}

func TestCurrencyIsAskedFor(t *testing.T) {
	onlyEuro := func(code string) bool { return code == "EUR" }
	if _, err := config.Load(config.Source{Environ: []string{"DEFAULT_CURRENCY=EUR"}, ValidCurrency: onlyEuro}); err != nil {
		t.Errorf("a known currency: %v", err)
	}
	_, err := config.Load(config.Source{Environ: []string{"DEFAULT_CURRENCY=ABC"}, ValidCurrency: onlyEuro})
	if err == nil || !strings.HasPrefix(err.Error(), `DEFAULT_CURRENCY="ABC" (environment): give an ISO 4217`) {
		t.Errorf("an unknown currency: %v", err)
	}
}

func TestBounds(t *testing.T) {
	tests := []struct {
		value string
		right bool
	}{
		{"PORT=0", true},
		{"PORT=65535", true},
		{"PORT=65536", false},
		{"PORT=-1", false},
		{"PORT= 80", false},
		{"PORT=0x50", false},
		{"IDLE_TIMEOUT=1s", true},
		{"IDLE_TIMEOUT=999ms", false},
		{"IDLE_TIMEOUT=1h", true},
		{"IDLE_TIMEOUT=1h0m0.1s", false},
		{"READ_TIMEOUT=4s", false},
		{"REQUEST_TIMEOUT=60s", false},
		{"REQUEST_TIMEOUT=59s", true},
		{"MAX_BATCH_BODY_BYTES=2048", false},
		{"MAX_IN_FLIGHT_BYTES=8388608", true},
		{"MAX_IN_FLIGHT_BYTES=8388607", false},
		{"MAX_IN_FLIGHT_BYTES=65535", false},
		{"MAX_IN_FLIGHT_BYTES=17179869185", false},
		{"HOST=::1", true},
		{"HOST=a-b.example", true},
		{"HOST=localhost:80", false},
		{"HOST=[::1]", false},
		{"HOST=a b", false},
		{"EVENTS=eventbridge", true},
		{"EVENTS=sqs", false}, // it needs EVENTS_QUEUE_URL
		{"EVENTS=sns", false},
		{"EVENTS_QUEUE_URL=https://sqs.eu-west-1.amazonaws.com/1/q.fifo", true},
		{"EVENTS_QUEUE_URL=q", false},
		{"EVENT_BUS_NAME=arn:aws:events:eu-west-1:1:event-bus/orders", true},
		{"SECRETS_REFRESH=0s", true},
		{"SECRETS_REFRESH=999ms", false},
		{"SECRETS_REFRESH=1s", true},
		{"MONGO_SECRET_ID=a b", false},
		{"COMMANDS_QUEUE_URL=http://127.0.0.1:4566/1/q.fifo", true},
		{"COMMANDS_QUEUE_URL=q", false},
		{"COMMANDS_DEAD_LETTER_QUEUE_URL=arn:aws:sqs:eu-west-1:1:q", false},
		{"COMMANDS_CONCURRENCY=0", false},
		{"COMMANDS_VISIBILITY=1s", false},
		{"COMMANDS_EARLY_FOR=336h", true},
		{"MANIFESTS=s3", true},
		{"MANIFEST_ENCRYPTION=aws:kms", true},
		{"MANIFEST_ENCRYPTION=rot13", false},
		{"MANIFEST_KMS_KEY_ID=alias/orders", false}, // it needs MANIFEST_ENCRYPTION
		{"MANIFEST_BUCKET=abc", true},
		{"MANIFEST_BUCKET=ab", false},
		{"MANIFEST_BUCKET=a..b", false},
		{"MANIFEST_BUCKET=a/b", false},
		{"MANIFEST_BUCKET=" + strings.Repeat("a", 63), true},
		{"MANIFEST_BUCKET=" + strings.Repeat("a", 64), false},
	}
	for _, tt := range tests {
		t.Run(tt.value, func(t *testing.T) {
			_, err := config.Load(config.Source{Environ: []string{tt.value}})
			if (err == nil) != tt.right {
				t.Errorf("error is %v, want right %t", err, tt.right)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one problem: %v", err)
			}
		})
	}
}

func ExampleLoad() {
	_, err := config.Load(config.Source{Environ: []string{"PORT=http", "LOG_LEVEL=loud"}})
	fmt.Println(err)
	// Output:
	// PORT="http" (environment): give a whole number from 0 to 65535, such as 8000
	// LOG_LEVEL="loud" (environment): give one of DEBUG, INFO, WARNING, ERROR, such as INFO
}
