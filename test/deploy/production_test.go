package deploy_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// patience bounds every wait for something that must happen.
const patience = 60 * time.Second

// production are the environments that are meant for production, and development the others.
var (
	production  = []string{"fargate/ServerTask", "fargate/WorkerTask", "kubernetes/aws", "sam"}
	development = []string{"compose", "kubernetes/local"}
)

// Who deploys a file as it is gets a service that asks who calls, or is told that this one does not.
func TestFilesSayWhoMayCall(t *testing.T) {
	all := environments(t)
	for _, name := range production {
		if set := all[name]; set["APP_ENV"] != "production" || set["AUTH"] == "" || set["AUTH"] == "none" {
			t.Errorf("%s is for production, with APP_ENV=%s and AUTH=%s", name, set["APP_ENV"], set["AUTH"])
		}
	}
	for _, name := range development {
		if set := all[name]; set["APP_ENV"] != "development" || set["AUTH"] != "none" {
			t.Errorf("%s is for development, and does not say so: APP_ENV=%s and AUTH=%s", name, set["APP_ENV"], set["AUTH"])
		}
	}
	if len(all) != len(production)+len(development)+1 { // and the image, which is for both
		t.Errorf("of %d environments it is not known whether they are for production", len(all)-1-len(production)-len(development))
	}
}

// What a file for production says starts the program itself, and the program then asks who calls.
func TestProductionAsksWhoCalls(t *testing.T) {
	program, all := buildOrders(t), environments(t)
	for _, name := range []string{"fargate/ServerTask", "kubernetes/aws"} {
		t.Run(name, func(t *testing.T) {
			url := startOrders(t, program, "serve", deployed(t, all[name]))
			for path, want := range map[string]int{
				"/health/live": http.StatusOK, "/orders": http.StatusUnauthorized, "/deliveries": http.StatusUnauthorized,
			} {
				if got := ask(t, url+path); got != want {
					t.Errorf("GET %s without a token is answered %d, want %d", path, got, want)
				}
			}
			startOrders(t, program, "worker", deployed(t, all[name]))
		})
	}
	t.Run("sam", func(t *testing.T) {
		if got := invoke(t, program, deployed(t, all["sam"])); got != http.StatusUnauthorized {
			t.Errorf("a request without an authorizer is answered %d", got)
		}
	})
}

// And without one of these settings it does not start, and says which one is missing.
func TestProductionRefusesLess(t *testing.T) {
	program, all := buildOrders(t), environments(t)
	for name, test := range map[string]struct{ set, without, wants string }{
		"NobodyAsked": {"kubernetes/aws", "AUTH", "AUTH=none lets everybody do everything"},
		"NoIssuer":    {"kubernetes/aws", "JWT_ISSUER", "AUTH=jwt needs JWT_ISSUER"},
		"NoAudience":  {"fargate/ServerTask", "JWT_AUDIENCE", "AUTH=jwt needs JWT_AUDIENCE"},
		"NoKeys":      {"fargate/ServerTask", "JWT_JWKS_URL", "AUTH=jwt needs keys"},
		"NoTLS":       {"kubernetes/aws", "TRUST_PROXY", "TRUST_PROXY=true"},
	} {
		t.Run(name, func(t *testing.T) {
			set := deployed(t, all[test.set])
			delete(set, test.without)
			refused(t, program, set, test.wants)
		})
	}
	t.Run("BaseAlone", func(t *testing.T) {
		set := deployed(t, kubernetesEnvironment(t, "base"))
		refused(t, program, set, "JWT_ISSUER", "JWT_AUDIENCE", "JWT_JWKS_URL")
		maps.Copy(set, map[string]string{
			"JWT_ISSUER": "https://id.example.com/", "JWT_AUDIENCE": "orders", "JWT_JWKS_URL": "https://id.example.com/keys",
		})
		refused(t, program, set, "TRUST_PROXY=true")
	})
}

// deployed is what a container is told: by the image, by a file, and here by what stands in for AWS, the network and its secret. Nothing of
// it can be reached: whatever is asked for by name goes by a proxy that is not there.
func deployed(t *testing.T, file map[string]string) map[string]string {
	t.Helper()
	set := map[string]string{}
	for _, from := range []map[string]string{imageEnvironment(t), file} {
		for name, value := range from {
			if value != "" && !strings.HasSuffix(name, "_ID") { // no secret is read here
				set[name] = value
			}
		}
	}
	maps.Copy(set, map[string]string{
		"PORT": "0", "ADMIN_ADDR": "127.0.0.1:0", "MONGO_HOST": "127.0.0.1", "MONGO_PORT": "1", "MONGO_PASSWORD": "of the secret",
		"MONGO_TIMEOUT": "100ms", "COMMANDS_QUEUE_URL": "http://127.0.0.1:1/111122223333/commands", "HTTPS_PROXY": "http://127.0.0.1:1",
		"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
	})
	return set
}

// run is a command of the program in an empty folder, which is interrupted at the end of ctx.
func run(ctx context.Context, t *testing.T, program, command string, set map[string]string) *exec.Cmd {
	t.Helper()
	process := exec.CommandContext(ctx, program, command)
	process.Dir = t.TempDir()
	process.Env = []string{}
	for name, value := range set {
		process.Env = append(process.Env, name+"="+value)
	}
	process.Cancel = func() error { return process.Process.Signal(os.Interrupt) }
	process.WaitDelay = patience
	return process
}

// refused fails unless the program ends with a usage error that has these words.
func refused(t *testing.T, program string, set map[string]string, words ...string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	process := run(ctx, t, program, "serve", set)
	var complaint bytes.Buffer
	process.Stderr = &complaint
	if err := process.Run(); err == nil || process.ProcessState.ExitCode() != 2 {
		t.Errorf("it ends with %v: %s", err, complaint.String())
	}
	for _, word := range words {
		if !strings.Contains(complaint.String(), word) {
			t.Errorf("it says nothing of %q: %s", word, complaint.String())
		}
	}
}

// startOrders starts a command of the program, which ends with the test, and returns where it listens.
func startOrders(t *testing.T, program, command string, set map[string]string) (url string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	process := run(ctx, t, program, command, set)
	output, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaint bytes.Buffer
	process.Stderr = &complaint
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	listens := make(chan string, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines.Scan() {
			var line struct{ Message, URL string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Message == "listening" {
				listens <- line.URL
			}
		}
		_, _ = io.Copy(io.Discard, output)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		_ = process.Wait() // by the signal
	})
	select {
	case url = <-listens:
		return url
	case <-ended:
		t.Fatalf("orders %s ended: %s", command, complaint.String())
	case <-time.After(patience):
		t.Fatalf("orders %s does not listen", command)
	}
	return ""
}

// ask is the status of the answer to a request of somebody unknown.
func ask(t *testing.T, url string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

// invoke starts the program as a function and is the status of its answer to one request that no authorizer let in.
func invoke(t *testing.T, program string, set map[string]string) int {
	t.Helper()
	const event = `{"version":"2.0","rawPath":"/orders","headers":{},"requestContext":{
		"stage":"$default","http":{"method":"GET","path":"/orders","sourceIp":"192.0.2.1"}}}`
	events, answers := make(chan string, 1), make(chan []byte, 1)
	events <- event
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case e := <-events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(patience).UnixMilli(), 10))
			_, _ = io.WriteString(w, e)
		case <-r.Context().Done():
		}
	})
	told := func(w http.ResponseWriter, r *http.Request) {
		answer, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		answers <- answer
	}
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/1/response", told)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", told)
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Lambda-Extension-Identifier", "1")
	})
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	runtime := httptest.NewServer(mux)
	defer runtime.Close()
	ctx, stop := context.WithCancel(context.Background())
	set["AWS_LAMBDA_RUNTIME_API"] = strings.TrimPrefix(runtime.URL, "http://")
	process := run(ctx, t, program, "serve", set)
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		stop()
		_ = process.Wait() // by the signal
	}()
	select {
	case text := <-answers:
		var answer struct{ StatusCode int }
		if err := json.Unmarshal(text, &answer); err != nil || answer.StatusCode == 0 {
			t.Fatalf("the function answers %s: %v", text, err)
		}
		return answer.StatusCode
	case <-time.After(patience):
		t.Fatal("the function does not answer")
	}
	return 0
}

// A laptop's containers are for the laptop: what they publish, they publish on its own address.
func TestComposePublishesOnLoopback(t *testing.T) {
	var compose struct {
		Services map[string]struct{ Ports []string }
	}
	if err := yaml.Unmarshal(read(t, "deploy/compose.yaml"), &compose); err != nil {
		t.Fatal(err)
	}
	loopback, published := regexp.MustCompile(`^127\.0\.0\.1:[0-9-]+:(\d+)$`), map[string]bool{}
	for name, service := range compose.Services {
		for _, port := range service.Ports {
			match := loopback.FindStringSubmatch(port)
			if match == nil {
				t.Fatalf("%s publishes %s for other machines too", name, port)
			}
			published[match[1]] = true
		}
	}
	if _, admin, _ := strings.Cut(composeEnvironment(t)["ADMIN_ADDR"], ":"); !published["8000"] || !published[admin] || len(published) != 2 {
		t.Errorf("published are %v", published)
	}
}
