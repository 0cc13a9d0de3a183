package bootstrap_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"order-processing-service/internal/bootstrap"
	"order-processing-service/internal/bootstrap/config"
)

// lines keeps what is written, and closes seen when text is among it.
type lines struct {
	mu   sync.Mutex
	all  bytes.Buffer
	text string
	seen chan struct{}
	once sync.Once
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.all.Write(b)
	if strings.Contains(l.all.String(), l.text) {
		l.once.Do(func() { close(l.seen) })
	}
	return n, err
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// A worker whose queue can't be reached says so once, is well, and stops.
func TestWorkerWithoutItsQueue(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	c, err := config.Load(config.Source{Environ: []string{
		"PORT=0", "ADMIN_ADDR=127.0.0.1:0", "DATA_DIR=" + t.TempDir(), "COMMANDS_QUEUE_URL=http://127.0.0.1:1/1/commands",
		"COMMANDS_DEAD_LETTER_QUEUE_URL=http://127.0.0.1:1/1/letters", "EVENTS=none", "MANIFESTS=none",
	}})
	if err != nil {
		t.Fatal(err)
	}
	const away = "Commands wait, as a part that they need is away"
	log := &lines{text: away, seen: make(chan struct{})}
	w, err := bootstrap.OpenWorker(t.Context(), c, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	<-log.seen
	client := &http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	for path, status := range map[string]int{"/health": 200, "/health/live": 200, "/health/ready": 200, "/orders": 404, "/docs": 404} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL()+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != status {
			t.Errorf("GET %s answers %d, not %d", path, response.StatusCode, status)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, text := range []string{away, `"message":"commands"`, `,"applied":0,"repeated":0,"early":0,"failed":0}`} {
		if n := strings.Count(log.String(), text); n != 1 {
			t.Errorf("%s is said %d times:\n%s", text, n, log)
		}
	}
}
