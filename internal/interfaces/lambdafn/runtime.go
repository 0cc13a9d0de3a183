package lambdafn

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/go-json-experiment/json"
)

// RuntimeVariable is the environment variable that says where the Runtime API is. It is set in Lambda and nowhere else.
const RuntimeVariable = "AWS_LAMBDA_RUNTIME_API"

// Serve asks the Runtime API, at the address that RuntimeVariable says, for invocations and answers them until ctx ends and
// what is under way is answered, for which it waits so long at most. If the Runtime API goes away, the process ends, as
// nobody is left to answer. It is called once in a process.
func (f *Function) Serve(ctx context.Context, wait time.Duration) {
	// The library's loop does not end. That it asks for SIGTERM makes Lambda send one before it ends the process.
	go lambda.StartWithOptions(f, lambda.WithEnableSIGTERM())
	<-ctx.Done()
	idle := make(chan struct{})
	go func() {
		f.working.Lock() // for ever: there is nothing more to do
		close(idle)
	}()
	select {
	case <-idle:
	case <-time.After(wait):
	}
}

const initErrorTimeout = 2 * time.Second

// ReportInitError tells the Runtime API at the given address why the function can't start, so that it is seen where the
// function was invoked and not only in its log. The process should end then.
func ReportInitError(ctx context.Context, api string, cause error) error {
	ctx, cancel := context.WithTimeout(ctx, initErrorTimeout)
	defer cancel()
	body, err := json.Marshal(map[string]any{"errorMessage": cause.Error(), "errorType": "InitError", "stackTrace": []string{}})
	if err != nil {
		return fmt.Errorf("report why the function can't start: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+api+"/2018-06-01/runtime/init/error", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("report why the function can't start: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Lambda-Runtime-Function-Error-Type", "Runtime.InitError")
	transport := &http.Transport{} // without the proxy that the environment may name
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return fmt.Errorf("report why the function can't start: %w", err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
	if response.StatusCode != http.StatusAccepted {
		return fmt.Errorf("report why the function can't start: the Runtime API answers %s", response.Status)
	}
	return nil
}
